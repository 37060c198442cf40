"""No host has the address of a target, so packets to it vanish; the target itself runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import Reach, registered
from testbed.faults.struck_part import TARGETS, StruckPart
from testbed.faults.words import CUT_OFF, Fault, Part


@registered
@dataclass(frozen=True, slots=True)
class TargetCutOff(StruckPart):
    """No host has the address of a target, so packets to it vanish; the target itself runs on."""

    name: ClassVar[str] = "target-cut-off"
    numbers: ClassVar[tuple[int, ...]] = (22,)
    reach: ClassVar[Reach] = Reach.CUT_OFF
    word: ClassVar[Fault] = CUT_OFF
    parts: ClassVar[tuple[Part, ...]] = TARGETS
