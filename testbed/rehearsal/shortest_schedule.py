"""Finds the shortest part of a schedule of faults that still fails (pure, but for what it asks)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

from testbed.faults import Scheduled


def shortest(
    faults: Sequence[Scheduled], fails: Callable[[Sequence[Scheduled]], bool]
) -> Sequence[Scheduled]:
    """Return the fewest of some faults that still fail, in their order; all of them if no fewer do.

    The smallest parts are asked first, and the first that fails is the answer: a schedule of chaos has so few
    faults that nothing cleverer asks less.

    Args:
        faults: a schedule that failed.
        fails: plays a schedule, and returns whether it failed. It is asked about no part twice, and not
            about the whole.
    """
    for size in range(len(faults)):
        for part in combinations(faults, size):
            if fails(part):
                return part
    return faults
