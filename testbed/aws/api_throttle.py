"""AWS's limit on API calls as a token bucket (pure).

Route 53 accepts five requests per second from an account (Route 53 Developer Guide, "Quotas", maximums on API
requests) and answers further ones with `Throttling: Rate exceeded`.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Throttle:
    """A token bucket with room for the calls of one second.

    Attributes:
        rate: calls per production second.
    """

    rate: float
    _tokens: float = field(init=False)
    _filled: float = field(init=False, default=float("-inf"))  # the first call finds a full bucket

    def __post_init__(self) -> None:
        self._tokens = self.rate

    def admits(self, now: float) -> bool:
        """True if a call at production time `now` (seconds, never decreasing) is within the limit."""
        self._tokens = min(self.rate, self._tokens + max(0.0, now - self._filled) * self.rate)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
