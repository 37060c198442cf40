"""The faults of controllers: a Deployment without pods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import InjectedFault, Reach


@dataclass(frozen=True, slots=True)
class StoppedController(InjectedFault):
    """A controller is down: its Deployment is scaled to 0, and back when the fault ends.

    Attributes:
        image: of the Deployment, without registry and tag.
    """

    reach: ClassVar[Reach] = Reach.DEPLOYMENTS
    image: ClassVar[str]
