"""Changes of records stay PENDING, and the name servers answer as before, until the fault ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import InjectedFault, Reach, registered


@registered
@dataclass(frozen=True, slots=True)
class ChangesPending(InjectedFault):
    """Route 53 takes changes and does not spread them: GetChange says PENDING, DNS answers as before."""

    name: ClassVar[str] = "changes-pending"
    numbers: ClassVar[tuple[int, ...]] = (2,)
    reach: ClassVar[Reach] = Reach.DNS
