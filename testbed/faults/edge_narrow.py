"""An edge has little bandwidth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from testbed.errors import BadInput
from testbed.faults.injected_fault import registered
from testbed.faults.struck_edge import EDGES, Toll, TolledEdge


@registered
@dataclass(frozen=True, slots=True)
class EdgeNarrow(TolledEdge):
    """Each connection of an edge that is opened meanwhile has so much bandwidth in each direction.

    Attributes:
        edge: the edge that it strikes.
        kilobytes: in a wall second, 1 to 1000000.

    Raises:
        BadInput: one is out of its range.
    """

    name: ClassVar[str] = "edge-narrow"
    numbers: ClassVar[tuple[int, ...]] = (31,)
    kilobytes: int = 16

    def check_fields(self) -> None:
        """Check the fields besides the edge."""
        if not isinstance(self.kilobytes, int) or not 1 <= self.kilobytes <= 1_000_000:
            raise BadInput(f"{self.name}: {self.kilobytes!r} kB/s is no bandwidth", do="write 1 to 1000000")

    @classmethod
    def samples(cls) -> Sequence[EdgeNarrow]:
        """Return an old phone's line and a worse one, on each edge."""
        return [cls(edge, kilobytes) for edge in EDGES for kilobytes in (4, 64)]

    def toll(self) -> Toll:
        """Return what the relay does."""
        return Toll(rate=self.kilobytes * 1000.0)
