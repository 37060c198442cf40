"""AWS's limit on API calls, as a bucket of tokens (pure).

Route 53 takes five requests per second from an account (Route 53 Developer Guide, "Quotas", maximums on API
requests) and answers `Throttling: Rate exceeded` beyond.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Throttle:
    """A bucket that holds one second's worth of calls.

    Attributes:
        rate: calls per production second.
    """

    rate: float
    _tokens: float = field(init=False)
    _filled: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self._tokens = self.rate

    def admits(self, now: float) -> bool:
        """Whether a call at production time `now` (seconds, never going back) is within the limit."""
        self._tokens = min(self.rate, self._tokens + max(0.0, now - self._filled) * self.rate)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
