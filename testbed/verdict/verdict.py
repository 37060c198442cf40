"""The verdict on a run: pass, fail or inconclusive, with every reason for it, from the journal alone.

fail beats inconclusive beats pass. A pass must be earned: traffic in every step, no stall, and answers so
close together that a stall would have shown, a ledger that agrees with the targets' access logs, a run that
was played to its end, and at least one condition or threshold. What cannot be known is inconclusive, never a
pass.

Requests that are lost only in steps for which the machine was too slow prove nothing against the cutover:
timeouts are divided by the speed, so they end what a starved machine does not serve in time. Such losses are
inconclusive, unless a client could connect no more for longer than the machine was late (`lasting_losses`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from testbed import journal
from testbed.errors import ExitCode
from testbed.verdict.answer_gaps import AnswerGaps, answer_gaps
from testbed.verdict.findings import Finding, Result, findings
from testbed.verdict.history import History
from testbed.verdict.moments import Movements, movements
from testbed.verdict.phases import Outcomes, Tally, tally
from testbed.verdict.reconciliation import Difference, DifferenceKind, Ledger, Trouble
from testbed.verdict.thresholds import Measured, measure, parse
from testbed.verdict.traffic_windows import traffic_windows

DIFFERENCES_KEPT = 200
"""Of each kind; all are counted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that the journal proves.

    Attributes:
        result: pass, fail or inconclusive.
        findings: the reasons, failures first; empty for a pass.
        history: the steps and other single events.
        tally: the counted requests.
        movements: the moves of the alias and how the traffic followed.
        troubles: the first requests that were not answered ok, and what the target saw.
        differences: the first differences between ledger and access logs.
        other_requests: access log lines of health checks and probes, which are not in the ledger.
        gaps: the intervals without an answer: the outages, and those that the run excludes.
        thresholds: each limit of the run, and what was measured.
    """

    result: Result
    findings: tuple[Finding, ...]
    history: History
    tally: Tally
    movements: Movements
    troubles: tuple[Trouble, ...]
    differences: tuple[Difference, ...]
    other_requests: int
    gaps: AnswerGaps
    thresholds: tuple[Measured, ...] = ()

    @property
    def requests(self) -> Outcomes:
        """Outcomes of all requests."""
        return self.tally.all.outcomes

    @property
    def exit_code(self) -> ExitCode:
        """Exit code of the command line; an interrupted run exits with 130 whatever its verdict."""
        return self.result.exit_code


def compute(events: Iterable[journal.Event]) -> Verdict:
    """Judge the events of one journal, given in file order and read once."""
    history, ledger = History(), Ledger()
    for event in events:
        match event:
            case journal.Request():
                ledger.add_request(event)
            case journal.Access():
                ledger.add_access(event)
            case _:
                history.add(event)
    return judge(history, ledger)


def compute_file(path: Path) -> Verdict:
    """Judge a journal file: as `compute(journal.read(path))`, in less than half the time.

    Raises:
        BadInput: there is no such file, or a line is not an event of this version.
    """
    history, ledger = History(), Ledger()
    # Not through journal.read: making an object of each request takes most of the time.
    for number, kind, fields in journal.rows(path):
        try:
            if kind == journal.Request.kind:
                ledger.add_request_fields(fields)
            elif kind == journal.Access.kind:
                ledger.add_access_fields(fields)
            else:
                history.add(journal.EVENTS[kind](**fields))
        except (KeyError, TypeError, ValueError, OverflowError):
            raise journal.not_an_event(path, number) from None
    return judge(history, ledger)


def judge(history: History, ledger: Ledger) -> Verdict:
    """Judge everything that was read from a journal."""
    if len(ledger):
        # Requests are not in the history, and the run lasts as long as the first and the last of them.
        history.saw(min(ledger.intended))
        history.saw(max(ledger.finished))
    counted = tally(ledger, history)
    counts: Counter[DifferenceKind] = Counter()
    differences: list[Difference] = []
    for difference in ledger.differences():
        counts[difference.kind] += 1
        if counts[difference.kind] <= DIFFERENCES_KEPT:
            differences.append(difference)
    moved = movements(ledger, history)
    windows = traffic_windows(history, ledger)
    gaps = answer_gaps(ledger, history, windows, moved.connections if moved.counts == "connections" else {})
    measured = _measured(history, counted, moved, gaps)
    reasons = findings(history, ledger, counted, measured, counts, differences, gaps, windows)
    results = {finding.reason.result for finding in reasons}
    result = next((one for one in (Result.FAIL, Result.INCONCLUSIVE) if one in results), Result.PASS)
    return Verdict(
        result,
        reasons,
        history,
        counted,
        moved,
        tuple(Trouble(request, ledger.target_says(request.id)) for request in ledger.troubles),
        tuple(differences),
        ledger.of_others,
        gaps,
        measured,
    )


def _measured(history: History, counted: Tally, moved: Movements, gaps: AnswerGaps) -> tuple[Measured, ...]:
    balancers = history.named_balancers()
    return tuple(
        measure(parse(event.text), counted, moved.moves, history.speed, balancers, gaps.longest)
        for event in history.thresholds
    )
