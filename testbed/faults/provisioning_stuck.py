"""A load balancer that is made now stays in the state `provisioning` until the fault ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import InjectedFault, Reach, registered


@registered
@dataclass(frozen=True, slots=True)
class ProvisioningStuck(InjectedFault):
    """A load balancer that is made now stays `provisioning`, and is active once the fault ends."""

    name: ClassVar[str] = "provisioning-stuck"
    numbers: ClassVar[tuple[int, ...]] = (8,)
    reach: ClassVar[Reach] = Reach.AWS
