"""What is known of a verdict before its end: only what already rules a pass out, or may.

It never says "pass" by itself: a pass must be earned over the whole run, and `testbed.verdict` says so.
"""

from __future__ import annotations

from testbed import journal
from testbed.live.frame import Standing, VerdictSoFar


class VerdictSoFarOf:
    """Collects what speaks against a pass. `judged` replaces it by the verdict."""

    def __init__(self) -> None:
        self._failed = self._unknown = 0
        self._reasons: list[str] = []
        self._accepted = ""
        self._final: VerdictSoFar | None = None

    def take(self, event: journal.Event, step: int) -> None:
        """Take an event, which happened in a step."""
        match event:
            case journal.Expectation() if not event.passed:
                detail = f" ({event.detail})" if event.detail else ""
                self._reasons.append(f"step {event.step}: not met: {event.text}{detail}")
            case journal.StepFinished() if event.outcome != "passed":
                self._reasons.append(f"step {event.number} {event.outcome}")
            case journal.Log() if event.is_part_error:
                self._reasons.append(f"step {step}: {event.component} of the testbed failed: {event.message}")
            case journal.LossesAccepted():
                self._accepted = event.why
            case journal.RunFinished() if event.reason != "complete":
                self._reasons.append(
                    ": ".join(filter(None, (f"the run ended: {event.reason}", event.detail)))
                )
            case _:
                pass

    def lost(self, failed: int, unknown: int) -> None:
        """Take the counts of requests that were lost so far."""
        self._failed, self._unknown = failed, unknown

    def judged(self, standing: Standing, text: str, reasons: tuple[str, ...]) -> None:
        """Take the verdict of the whole run."""
        self._final = VerdictSoFar(standing, text, reasons)

    def words(self) -> VerdictSoFar:
        """Return how it stands."""
        if self._final:
            return self._final
        reasons = list(self._reasons)
        if lost := self._failed + self._unknown:
            accepted = f", which the scenario accepts: {self._accepted}" if self._accepted else ""
            reasons.append(f"{lost:,} lost: {self._failed:,} failed, {self._unknown:,} unknown{accepted}")
        if self._reasons:
            return VerdictSoFar(Standing.NO_PASS, "A pass is out of reach.", tuple(reasons))
        if lost and not self._accepted:
            text = "Requests were lost: no pass, unless the scenario accepts losses."
            return VerdictSoFar(Standing.LOSSES, text, tuple(reasons))
        return VerdictSoFar(reasons=tuple(reasons))
