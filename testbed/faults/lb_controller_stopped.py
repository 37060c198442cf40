"""The AWS Load Balancer Controller is down: its Deployment has no pods until the fault ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.stopped_controller import StoppedController


@registered
@dataclass(frozen=True, slots=True)
class LbControllerStopped(StoppedController):
    """The AWS Load Balancer Controller is down: its Deployment has no pods until the fault ends."""

    name: ClassVar[str] = "lb-controller-stopped"
    numbers: ClassVar[tuple[int, ...]] = (8,)
    image: ClassVar[str] = "aws-load-balancer-controller"
