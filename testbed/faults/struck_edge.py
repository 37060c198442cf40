"""The faults of an edge: the connections between two parts of the data plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from testbed.errors import BadInput
from testbed.faults.injected_fault import InjectedFault, Reach

Edge = Literal["clients-nlb", "clients-alb", "balancers-targets", "targets-backends"]
EDGES: tuple[Edge, ...] = get_args(Edge)


@dataclass(frozen=True, slots=True)
class StruckEdge(InjectedFault):
    """A fault of an edge.

    Attributes:
        edge: the edge that it strikes.

    Raises:
        BadInput: there is no such edge.
    """

    reach: ClassVar[Reach] = Reach.EDGES
    edge: Edge

    def __post_init__(self) -> None:
        if self.edge not in EDGES:
            raise BadInput(f"{self.name}: no edge {self.edge!r}", do=f"write {' or '.join(EDGES)}")
        self.check_fields()

    def check_fields(self) -> None:
        """Check the fields that a fault has besides its edge.

        Raises:
            BadInput: one is out of its range.
        """

    @classmethod
    def samples(cls) -> Sequence[StruckEdge]:
        """Return the fault of each edge."""
        return [cls(edge) for edge in EDGES]


@dataclass(frozen=True, slots=True)
class Toll:
    """What an edge takes of the bytes of each direction; wall seconds, as a client's patience is wall time.

    Attributes:
        delay: for which each byte is on its way.
        jitter: at most so much longer, by chance; bytes stay in their order.
        rate: bytes in a second; None for no limit.
        close_delay: from the end of a direction until the other side hears of it.
    """

    delay: float = 0.0
    jitter: float = 0.0
    rate: float | None = None
    close_delay: float = 0.0


@dataclass(frozen=True, slots=True)
class TolledEdge(StruckEdge):
    """A fault of an edge that a relay in its path plays, on the connections that are opened meanwhile."""

    def toll(self) -> Toll:
        """Return what the relay does."""
        raise NotImplementedError
