"""Bytes are on their way for longer than usual on an edge, some longer than others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import check_seconds, registered
from testbed.faults.struck_edge import EDGES, Toll, TolledEdge


@registered
@dataclass(frozen=True, slots=True)
class EdgeSlow(TolledEdge):
    """Each byte on connections of an edge that are opened meanwhile is late, in both directions.

    Attributes:
        edge: the edge that it strikes.
        seconds: by how many wall seconds.
        jitter: by at most how many more, by chance.

    Raises:
        BadInput: one is out of its range.
    """

    name: ClassVar[str] = "edge-slow"
    numbers: ClassVar[tuple[int, ...]] = (31,)
    seconds: float = 0.1
    jitter: float = 0.0

    def check_fields(self) -> None:
        """Check the fields besides the edge."""
        check_seconds(self, self.seconds)
        if self.jitter != 0:
            check_seconds(self, self.jitter)

    @classmethod
    def samples(cls) -> Sequence[EdgeSlow]:
        """Return a far region and a shaky line, on each edge."""
        return [cls(edge, *late) for edge in EDGES for late in ((0.1, 0.0), (0.02, 0.2))]

    def toll(self) -> Toll:
        """Return what the relay does."""
        return Toll(delay=self.seconds, jitter=self.jitter)
