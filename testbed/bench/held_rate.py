"""The search for the highest rate that a build holds: each answer halves the range of what may be."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Search:
    """What is known of the highest held rate, in requests per second.

    Attributes:
        held: the highest rate that was held; 0 before one was.
        failed: the lowest rate that was not held; None before one was not.
        start: the rate that is tried first.
        close: the search ends when `failed / held` is at most this.
        least: below it nothing is tried.
    """

    held: float = 0.0
    failed: float | None = None
    start: float = 500.0
    close: float = 1.15
    least: float = 25.0

    @property
    def next_rate(self) -> float | None:
        """The rate to try, in whole requests per second; None when the search has ended."""
        if self.failed is None:
            return round(self.held * 2) if self.held else self.start
        if not self.held:
            rate = self.failed / 2
            return None if rate < self.least else round(rate)
        # The geometric middle: rates are compared by their ratio.
        return None if self.failed / self.held <= self.close else round((self.failed * self.held) ** 0.5)

    def after(self, rate: float, *, is_held: bool) -> Search:
        """Return the search after an answer."""
        return replace(self, held=max(self.held, rate)) if is_held else replace(self, failed=rate)
