"""The rate of a run on a machine that is busy elsewhere: lower, but high enough to show a stall."""

from __future__ import annotations

from testbed.settings import (
    CPU_OF_A_REQUEST,
    CPU_OF_THE_CONTROL_PLANE,
    lowest_rate,
)

LEAST_OTHERS = 0.25
"""Cores. Below it the machine is not busy, and whatever the rate needs is the caller's business."""
STEP = 10.0
"""Requests per second. Finer figures would only look exact."""


def affordable_rate(asked: float, *, speed: float, cores: float, others: float) -> float:
    """Return the requests per wall second that a run should send.

    Args:
        asked: the rate that the run would have on a quiet machine.
        speed: production seconds that pass in a wall second.
        cores: of this machine, those that this process may use.
        others: cores that other programs keep busy.
    """
    if others < LEAST_OTHERS:
        return asked
    left = max(0.0, cores - others - CPU_OF_THE_CONTROL_PLANE)
    afforded = left / CPU_OF_A_REQUEST // STEP * STEP
    return min(asked, max(afforded, lowest_rate(speed)))
