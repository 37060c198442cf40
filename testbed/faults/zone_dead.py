"""One address of a balancer is silent, and DNS still answers with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.struck_zone import StruckZone


@registered
@dataclass(frozen=True, slots=True)
class ZoneDead(StruckZone):
    """The nodes of one zone are silent, open connections too, and DNS still answers with their addresses."""

    name: ClassVar[str] = "zone-dead"
    numbers: ClassVar[tuple[int, ...]] = (28,)
    leaves_dns: ClassVar[bool] = False
