"""When requests are due: from the operator's start to the operator's stop, or to the end of the story.

A generator that begins a step late, or ends before the operator stops it, must not pass for a quiet step.
Within the step of its start it may take a moment to get going, as a process does.
"""

from __future__ import annotations

from dataclasses import dataclass

from testbed.journal import TrafficStarted
from testbed.settings import PATIENCE
from testbed.verdict.history import History, StepWindows
from testbed.verdict.reconciliation import Ledger


@dataclass(frozen=True, slots=True)
class TrafficWindow:
    """An interval in wall seconds in which `rate` requests per wall second are due."""

    start: float
    end: float
    rate: float

    def due(self, start: float, end: float) -> float:
        """Return how many requests are due between two moments."""
        return self.rate * max(0.0, min(end, self.end) - max(start, self.start))


def traffic_windows(history: History, ledger: Ledger) -> list[TrafficWindow]:
    """Return the windows of a run in the order of time.

    Traffic that no operator started is due from its first request, at the rate of the run.
    """
    steps = history.steps()
    # Not the end of the journal: what is written after the last step is no traffic of the story.
    over = max((step.end if step.end is not None else history.end for step in steps), default=history.end)
    orders = sorted(history.traffic_orders, key=lambda order: order.time)
    windows = StepWindows.of(steps)
    due: list[TrafficWindow] = []
    began: tuple[float, float] | None = None
    if ledger.intended and not any(isinstance(order, TrafficStarted) for order in orders):
        began = min(ledger.intended), history.rate
    for order in orders:
        if isinstance(order, TrafficStarted):
            # A second start while traffic runs only changes the rate, and does not excuse what was due
            # before.
            began = began or (order.time, order.rate)
        elif began is not None:
            due.append(TrafficWindow(_going(began[0], windows, ledger), order.time, began[1]))
            began = None
    if began is not None:
        due.append(TrafficWindow(_going(began[0], windows, ledger), over, began[1]))
    return due


def _going(began: float, windows: StepWindows, ledger: Ledger) -> float:
    """Return when the clients, started at a moment, sent their first request, if they were prompt."""
    first = min((time for time in ledger.intended if time >= began), default=began)
    is_prompt = first - began <= PATIENCE.traffic_start
    return first if is_prompt and windows.index(first) == windows.index(began) else began
