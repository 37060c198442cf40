"""The object that a scenario plays on: it has steps, waits, expects, acts (`acts`) and looks (`observer`).

Everything that happens is an event in the journal; the verdict is computed from that.

Durations are production seconds; the run's clock divides them by its speed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from testbed.errors import BadInput, TestbedError
from testbed.rehearsal import durations, last_error
from testbed.rehearsal.acts import Acts
from testbed.rehearsal.conditions import Condition, Observation
from testbed.rehearsal.scenario import Scenario
from testbed.rehearsal.step_recorder import StepFailed
from testbed.rehearsal.topology import Topology
from testbed.settings import PATIENCE

__all__ = ["Cutover", "StepFailed"]


class Cutover(Acts):
    """Plays one scenario on a running topology.

    Attributes:
        scenario: the scenario that is played.
        topology: the running topology; a scenario rarely needs it.
        before_step: is called with the number and title of each step before it begins.
        unmet: the conditions that `expect` did not find true, each with what was seen instead.
    """

    def __init__(
        self,
        scenario: Scenario,
        topology: Topology,
        rate: float,
        before_step: Callable[[int, str], None] = lambda *_: None,
    ) -> None:
        super().__init__(scenario, topology, rate)
        self._before_step = before_step
        self._pause = threading.Event()
        self._is_in_step = self._is_closed = False
        self.unmet: list[str] = []
        self._unanswered: list[Condition] = []

    @property
    def has_failed(self) -> bool:
        """True if an expectation failed so far."""
        return self._recorder.has_failed

    @contextmanager
    def step(self, title: str, *, why: str) -> Iterator[None]:
        """Open a step of the story: everything in the block belongs to it.

        Args:
            title: what happens, for the report.
            why: why it happens now and in this way, for the report.

        Raises:
            BadInput: the step is inside another one.
        """
        if self._is_in_step:
            raise BadInput(f"the step {title!r} begins inside another step", do="end that step first")
        if self._recorder.step > 0:
            self._pause.wait(PATIENCE.ledger)  # requests answered before the step must not count in it
        self._before_step(self._recorder.step + 1, title)
        self._mark_step()
        self._recorder.step_started(title, why)
        self._is_in_step, outcome = True, "interrupted"
        try:
            yield
            outcome = "passed"
        except StepFailed:
            outcome = "failed"
            raise
        finally:
            self._is_in_step = False
            self._recorder.step_finished(outcome)

    def accept_lost_requests(self, *, why: str) -> None:
        """Let lost requests pass: by default each of them fails the verdict of the run.

        The report shows the losses and the reason `why`; thresholds still limit them.
        """
        self._recorder.losses_accepted(why)

    def wait_until(self, condition: Condition, *, within: float) -> None:
        """Wait until a condition holds, at most `within` production seconds.

        A few wall seconds more are in time, for this machine's own work. What comes true later fails the
        step: `only after 1300 s of production time; within 60 s was asked`.

        Raises:
            BadInput: `within` is not a duration.
            StepFailed: it did not hold in time; the failed expectation is in the journal.
        """
        self._unanswered.append(condition)
        durations.check("wait_until(within=…)", within)
        clock = self.topology.clock
        began = clock.wall()
        due = began + clock.scaled(within)
        deadline = due + PATIENCE.condition
        while True:
            looked = clock.wall()
            seen = self._look(condition)
            if seen.holds:
                took = f"after {(looked - began) * clock.speed:.0f} s of production time"
                asked = f"within {within:g} s was asked"
                if looked > due + PATIENCE.condition_late:
                    self._answer(condition, Observation(False, seen.seen), f"only {took}; {asked}")
                    raise StepFailed(condition.text)
                allowed = f"; {asked}, and {PATIENCE.condition_late:g} s of wall time are this machine's"
                self._answer(condition, seen, took + (allowed if looked > due else ""))
                return
            # A controller's own error is no slowness of this machine, which patience is for.
            late = clock.wall() > due and last_error.of_balancer(self, condition.balancer)
            if late or clock.wall() > deadline:
                self._answer(condition, seen, f"not within {within:g} s of production time")
                raise StepFailed(condition.text)
            self._pause.wait(PATIENCE.look)

    def expect(self, condition: Condition, *, within: float = 0.0) -> bool:
        """Record whether a condition holds now or within production seconds, and return that.

        A failed expectation fails the verdict, but the story goes on.

        Raises:
            BadInput: `within` is not a duration.
        """
        self._unanswered.append(condition)
        durations.check("expect(within=…)", within)
        clock = self.topology.clock
        deadline = clock.wall() + clock.scaled(within)
        while True:
            seen = self._look(condition)
            if seen.holds or clock.wall() >= deadline:
                self._answer(condition, seen)
                if not seen.holds:
                    self.unmet.append(f"{condition.text}: {seen.seen}")
                return seen.holds
            self._pause.wait(PATIENCE.look)

    def hold(self, seconds: float) -> None:
        """Let the traffic run for this many production seconds.

        Raises:
            BadInput: they are not a duration.
        """
        durations.check("hold", seconds)
        clock = self.topology.clock
        deadline = clock.wall() + clock.scaled(seconds)
        while (left := deadline - clock.wall()) > 0:
            with self._while_open():
                self.topology.check()
                self._faults.check()
            self._pause.wait(min(left, PATIENCE.look))

    def end(self) -> None:
        """End the story: a condition that still waits, e.g. in a thread of the script, has failed."""
        self._faults.close()
        self._faults.check()
        for condition in list(self._unanswered):
            self._answer(condition, Observation(False, "the story ended before the answer"))

    def close(self) -> None:
        """Let no thread of the script look any more: the topology ends."""
        self._is_closed = True
        self._faults.close()

    def _look(self, condition: Condition) -> Observation:
        with self._while_open():
            self.topology.check()
            self._faults.check()
            return condition.look(self)

    @contextmanager
    def _while_open(self) -> Iterator[None]:
        """End a thread that outlives the story: what it sees of a topology that ends is no error."""
        try:
            self._leave_if_closed()
            yield
        except Exception:
            self._leave_if_closed()
            raise
        self._leave_if_closed()

    def _leave_if_closed(self) -> None:
        if self._is_closed:
            raise SystemExit  # which ends a thread in silence

    def _answer(self, condition: Condition, seen: Observation, when: str = "") -> None:
        if condition in self._unanswered:  # else the story has ended in the meantime
            self._unanswered.remove(condition)
            self._recorder.expectation(condition.text, self._explained(condition, seen), when)

    def _explained(self, condition: Condition, seen: Observation) -> Observation:
        """Add to what was seen what controllers could not do: without it, one may wait for it in vain."""
        if seen.holds:
            return seen
        errors: list[str] = []
        with suppress(TestbedError):  # the answer counts even if what it is about does not answer any more
            errors = [last_error.of_balancer(self, condition.balancer), last_error.of_external_dns(self)]
        added = [f"the controller's last error: {one}" for one in errors if one and one not in seen.seen]
        return Observation(False, "; ".join([seen.seen, *added]))
