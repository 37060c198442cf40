"""What the clients of a run saw so far, as every part that looks at it gets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests counted so far: by outcome, and the answered ones by the balancer that served them."""

    ok: int = 0
    failed: int = 0
    unknown: int = 0
    served: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All requests that ended."""
        return self.ok + self.failed + self.unknown

    def served_by(self, balancer: str) -> int:
        """Answered requests that came through a balancer type."""
        return self.served.get(balancer, 0)
