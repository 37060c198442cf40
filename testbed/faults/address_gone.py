"""One address of a balancer goes, from DNS and from the network, while caches have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.struck_zone import StruckZone


@registered
@dataclass(frozen=True, slots=True)
class AddressGone(StruckZone):
    """The nodes of one zone are silent, and DNS leaves their addresses out: only caches lead there."""

    name: ClassVar[str] = "address-gone"
    numbers: ClassVar[tuple[int, ...]] = (19,)
    leaves_dns: ClassVar[bool] = True
