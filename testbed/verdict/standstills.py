"""When the testbed's main process did not run: what happened then is no proof for or against the cutover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from testbed.journal import Outcome
from testbed.settings import PATIENCE
from testbed.verdict.history import History
from testbed.verdict.reconciliation import OUTCOME_CODES, Ledger

Interval = tuple[float, float]


def standstills(history: History) -> list[Interval]:
    """Return the intervals, wall seconds, in the order of time."""
    return sorted((event.start, event.time) for event in history.standstills if event.start < event.time)


def until_all_runs(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the intervals with the time that clients and controllers need to go on."""
    return [(start, end + PATIENCE.stall) for start, end in intervals]


def is_within(start: float, end: float, intervals: Sequence[Interval]) -> bool:
    """True if an interval meets one of the others."""
    return any(start < last and first < end for first, last in intervals)


def all_lost_then(ledger: Ledger, outcome: Outcome, intervals: Sequence[Interval]) -> bool:
    """True if each request with an outcome waited during one of the intervals.

    Names that were looked up then, in vain, may have been looked up by others before: a client's question has
    a patience of its own.
    """
    longer = [(start, end + PATIENCE.dns_query) for start, end in intervals]
    code = OUTCOME_CODES[outcome]
    lost = [row for row, own in enumerate(ledger.outcome) if own == code]
    return bool(longer and lost) and all(
        is_within(ledger.intended[row], ledger.finished[row], longer) for row in lost
    )
