"""Numbers per second of a day: what happens in each second, added up from slices."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from testbed.forecast.leaving import Slice

_POINT = 1e-6
"""Seconds. A narrower slice is a moment."""


class Spread:
    """How many of something happen in each second from 0 to a horizon.

    Attributes:
        seconds: how many happen in the second that begins at the index.
    """

    def __init__(self, horizon: int) -> None:
        self.seconds = [0.0] * horizon

    def add(self, slices: Iterable[Slice], number: float, *, later: float = 0.0) -> None:
        """Add `number` times the shares of slices, each so much later; what lies beyond is left out."""
        horizon = len(self.seconds)
        for one in slices:
            start, amount = max(0.0, one.start + later), one.share * number
            first = math.floor(start)
            if one.width <= _POINT:
                if first < horizon:
                    self.seconds[first] += amount
                continue
            end = start + one.width
            per_second = amount / one.width
            for second in range(first, min(math.ceil(end), horizon)):
                self.seconds[second] += per_second * (min(end, second + 1) - max(start, second))

    def repeated(self, period: float) -> Spread:
        """Return the spread with each happening again and again after a period of at least a second."""
        made = Spread(len(self.seconds))
        whole, part = int(period), period % 1
        for second, number in enumerate(self.seconds):
            made.seconds[second] = number
            if second >= whole:
                made.seconds[second] += (1 - part) * made.seconds[second - whole]
            if part and second > whole:
                made.seconds[second] += part * made.seconds[second - whole - 1]
        return made

    def sums(self) -> list[float]:
        """Return how many have happened before each second, and by the horizon: one more than the seconds."""
        return list(itertools.accumulate(self.seconds, initial=0.0))
