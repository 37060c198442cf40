"""Writes the steps of a story to the journal: actions, commands and expectations, each under its step."""

from __future__ import annotations

from testbed import journal
from testbed.clock import Clock
from testbed.rehearsal.conditions import Observation
from testbed.rehearsal.runbook import Done


class StepFailed(Exception):
    """A condition was not reached; the steps after it would prove nothing."""


class StepRecorder:
    """Writes one story's events to the journal.

    Attributes:
        step: number of the current step, from 1; 0 before the first.
        has_failed: True if an expectation failed so far.
    """

    def __init__(self, to: journal.Journal, clock: Clock) -> None:
        self._journal = to
        self._clock = clock
        self.step = 0
        self.has_failed = False

    def step_started(self, title: str, why: str) -> None:
        """Begin the next step."""
        self.step += 1
        self._journal.write(
            journal.StepStarted(time=self._clock.wall(), number=self.step, title=title, why=why)
        )

    def step_finished(self, outcome: str) -> None:
        """End the current step: `passed`, `failed` or `interrupted`."""
        self._journal.write(journal.StepFinished(time=self._clock.wall(), number=self.step, outcome=outcome))

    def losses_accepted(self, why: str) -> None:
        """Record that lost requests do not fail this run, and the reason."""
        self._journal.write(journal.LossesAccepted(time=self._clock.wall(), why=why))

    def action(self, text: str) -> None:
        """Record what the operator does, in the words of the tool that does it."""
        self._journal.write(journal.Action(time=self._clock.wall(), step=self.step, text=text))

    def fault_started(self, number: int, name: str, text: str) -> None:
        """Record that a fault strikes."""
        self._journal.write(
            journal.FaultStarted(time=self._clock.wall(), number=number, name=name, text=text)
        )

    def fault_ended(self, number: int) -> None:
        """Record that a fault is undone."""
        self._journal.write(journal.FaultEnded(time=self._clock.wall(), number=number))

    def balancer_named(self, name: str, balancer: str) -> None:
        """Record a name that the scenario gives to a balancer."""
        self._journal.write(journal.BalancerNamed(time=self._clock.wall(), name=name, balancer=balancer))

    def traffic_started(self, rate: float) -> None:
        """Record that from now on `rate` requests per wall second are due."""
        self._journal.write(journal.TrafficStarted(time=self._clock.wall(), step=self.step, rate=rate))

    def traffic_stop_requested(self) -> None:
        """Record that from now on no request is due."""
        self._journal.write(journal.TrafficStopRequested(time=self._clock.wall(), step=self.step))

    def command(self, done: Done) -> None:
        """Record a command of a runbook with its output."""
        self._journal.write(
            journal.Command(
                time=self._clock.wall(),
                step=self.step,
                command=done.command,
                status=done.status,
                stdout=done.stdout,
                stderr=done.stderr,
                seconds=done.seconds,
            )
        )

    def expectation(self, text: str, seen: Observation, when: str = "") -> None:
        """Record whether a condition held, what was seen, and when."""
        self.has_failed = self.has_failed or not seen.holds
        detail = "; ".join(filter(None, (seen.seen, when)))
        self._journal.write(
            journal.Expectation(
                time=self._clock.wall(), step=self.step, text=text, passed=seen.holds, detail=detail
            )
        )
