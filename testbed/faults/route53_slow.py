"""Route 53 answers late, so that a sync of ExternalDNS takes long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import InjectedFault, Reach, check_seconds, registered


@registered
@dataclass(frozen=True, slots=True)
class Route53Slow(InjectedFault):
    """Each call of the account to Route 53 waits, at most until the fault ends: ExternalDNS is slow.

    Attributes:
        seconds: for how many production seconds.

    Raises:
        BadInput: they are out of their range.
    """

    name: ClassVar[str] = "route53-slow"
    numbers: ClassVar[tuple[int, ...]] = (4,)
    reach: ClassVar[Reach] = Reach.AWS
    service: ClassVar[str] = "route53"
    seconds: float

    def __post_init__(self) -> None:
        check_seconds(self, self.seconds)

    @classmethod
    def samples(cls) -> Sequence[Route53Slow]:
        """Return delays below and above the time between two syncs."""
        return [cls(5.0), cls(90.0)]
