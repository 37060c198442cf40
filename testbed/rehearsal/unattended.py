"""Plays the acts of a scenario without traffic: where the story waits or looks, the controllers settle."""

from __future__ import annotations

import threading
from collections.abc import Callable

from testbed.journal import Action, ApiCall, Balancer, ControllerEvent, DnsChange, Event
from testbed.rehearsal import runbook
from testbed.rehearsal.acts import RUNBOOK_LIMIT
from testbed.rehearsal.conditions import Condition
from testbed.rehearsal.cutover import Cutover
from testbed.rehearsal.scenario import Scenario
from testbed.rehearsal.step_recorder import StepFailed
from testbed.rehearsal.topology import Topology
from testbed.settings import PATIENCE

_MOVES = (ApiCall, Balancer, ControllerEvent, DnsChange)


class Unattended(Cutover):
    """A cutover that nobody watches: no clients, no judgement, only the acts.

    Args:
        settled: is called where the story waits or looks, with the step and the acts since the last call,
            once the load balancers' controllers have done nothing for `PATIENCE.settled`.

    Attributes:
        stopped: the command at which the story ended before its end; "" if none failed.
    """

    stopped: str = ""

    def __init__(
        self, scenario: Scenario, topology: Topology, settled: Callable[[int, tuple[str, ...]], None]
    ) -> None:
        super().__init__(scenario, topology, rate=1.0)
        self._settled = settled
        self._acts: list[str] = []
        self._last_move = topology.clock.wall()
        self._heard = threading.Lock()
        topology.journal.listener = self._hear

    def wait_until(self, condition: Condition, *, within: float) -> None:  # noqa: ARG002 nobody looks
        """Let the controllers settle, whatever the condition is."""
        self.settle()

    def expect(self, condition: Condition, *, within: float = 0.0) -> bool:  # noqa: ARG002
        """Let the controllers settle; without traffic there is nothing to judge."""
        self.settle()
        return True

    def hold(self, seconds: float) -> None:  # noqa: ARG002
        """Let the controllers settle."""
        self.settle()

    def run(self, command: str, *, shell: str | None = None, within: float = RUNBOOK_LIMIT) -> runbook.Done:
        """Run a command of the runbook, and let the controllers settle.

        Its limit is of wall time here: the clock runs too fast for the programs of an operator.
        """
        try:
            done = super().run(command, shell=shell, within=within * self.topology.clock.speed)
        except StepFailed as error:
            self.stopped = str(error)
            raise
        self.settle()
        return done

    def start_traffic(self) -> None:
        """Send nothing."""

    def stop_traffic(self) -> None:
        """Nothing was sent."""

    def end(self) -> None:
        """Let the controllers settle a last time."""
        self.settle()

    def settle(self) -> None:
        """Wait until the controllers are at rest, if anything was done since the last time."""
        with self._heard:
            acts, self._acts = tuple(self._acts), []
        if not acts:
            return
        pause = threading.Event()
        while self.topology.clock.wall() - self._last_move < PATIENCE.settled:
            self.topology.check()
            pause.wait(PATIENCE.look)
        self._settled(self._recorder.step, acts)

    def _hear(self, event: Event) -> None:
        with self._heard:
            if isinstance(event, Action):
                self._acts.append(event.text)
            if isinstance(event, (*_MOVES, Action)):
                self._last_move = event.time
