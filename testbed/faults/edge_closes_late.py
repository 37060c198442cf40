"""One end of a connection hears late that the other has closed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import check_seconds, registered
from testbed.faults.struck_edge import EDGES, Toll, TolledEdge


@registered
@dataclass(frozen=True, slots=True)
class EdgeClosesLate(TolledEdge):
    """Connections of an edge that are opened meanwhile close slowly: who sends on one is not answered.

    Attributes:
        edge: the edge that it strikes.
        seconds: how many wall seconds the close is late, at most until the fault ends.

    Raises:
        BadInput: one is out of its range.
    """

    name: ClassVar[str] = "edge-closes-late"
    numbers: ClassVar[tuple[int, ...]] = (31,)
    seconds: float = 1.0

    def check_fields(self) -> None:
        """Check the fields besides the edge."""
        check_seconds(self, self.seconds)

    @classmethod
    def samples(cls) -> Sequence[EdgeClosesLate]:
        """Return one close that is late, on each edge."""
        return [cls(edge) for edge in EDGES]

    def toll(self) -> Toll:
        """Return what the relay does."""
        return Toll(close_delay=self.seconds)
