"""ExternalDNS is down: its Deployment has no pods until the fault ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import InjectedFault, Reach, registered


@registered
@dataclass(frozen=True, slots=True)
class ExternalDnsStopped(InjectedFault):
    """ExternalDNS is down: its Deployment is scaled to 0, and back when the fault ends.

    Attributes:
        image: of the Deployment, without registry and tag.
    """

    name: ClassVar[str] = "external-dns-stopped"
    numbers: ClassVar[tuple[int, ...]] = (4,)
    reach: ClassVar[Reach] = Reach.DEPLOYMENTS
    image: ClassVar[str] = "external-dns"
