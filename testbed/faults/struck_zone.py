"""The faults of one zone of the balancers: the node of each balancer there, by its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from testbed.errors import BadInput
from testbed.faults.injected_fault import InjectedFault, Reach

Kind = Literal["nlb", "alb"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ZONES = ("a", "c")
"""The last letters of the zones that a run has nodes in."""


@dataclass(frozen=True, slots=True)
class StruckZone(InjectedFault):
    """A fault of the nodes that the balancers of a kind have in a zone.

    Attributes:
        kind: the type of the balancers.
        zone: the last letter of the zone's name.
        leaves_dns: True if the names of the balancers leave its address out.

    Raises:
        BadInput: there is no such kind or zone.
    """

    reach: ClassVar[Reach] = Reach.ZONES
    leaves_dns: ClassVar[bool]
    kind: Kind
    zone: str = "a"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"{self.name}: no balancers {self.kind!r}", do=f"write {' or '.join(KINDS)}")
        if self.zone not in ZONES:
            raise BadInput(f"{self.name}: no zone {self.zone!r}", do=f"write {' or '.join(ZONES)}")

    @classmethod
    def samples(cls) -> Sequence[StruckZone]:
        """Return each zone of each kind."""
        return [cls(kind, zone) for kind in KINDS for zone in ZONES]
