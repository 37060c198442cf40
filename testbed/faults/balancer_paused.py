"""All nodes of a kind of balancer are silent; they go on when the fault ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.struck_part import BALANCERS, StruckPart
from testbed.faults.words import PAUSE, Fault, Part


@registered
@dataclass(frozen=True, slots=True)
class BalancerPaused(StruckPart):
    """All nodes of a kind of balancer are silent; they go on when the fault ends."""

    name: ClassVar[str] = "balancer-paused"
    numbers: ClassVar[tuple[int, ...]] = (22, 28)
    word: ClassVar[Fault] = PAUSE
    parts: ClassVar[tuple[Part, ...]] = BALANCERS
