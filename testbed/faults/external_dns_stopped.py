"""ExternalDNS is down: its Deployment has no pods until the fault ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.stopped_controller import StoppedController


@registered
@dataclass(frozen=True, slots=True)
class ExternalDnsStopped(StoppedController):
    """ExternalDNS is down: its Deployment has no pods until the fault ends."""

    name: ClassVar[str] = "external-dns-stopped"
    numbers: ClassVar[tuple[int, ...]] = (4,)
    image: ClassVar[str] = "external-dns"
