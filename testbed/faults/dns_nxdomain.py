"""The hosted zones have no records: a gap, which caches keep for the negative TTL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.spoiled_answers import Spoiled, SpoiledAnswers


@registered
@dataclass(frozen=True, slots=True)
class DnsNxdomain(SpoiledAnswers):
    """The name servers answer NXDOMAIN with the zone's SOA, as in a gap between two owners of a name."""

    name: ClassVar[str] = "dns-nxdomain"
    numbers: ClassVar[tuple[int, ...]] = (15,)
    effect: ClassVar[Spoiled] = Spoiled.NXDOMAIN
