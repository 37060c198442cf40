"""A target is silent: connections open, nothing is answered. It goes on when the fault ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.struck_part import TARGETS, StruckPart
from testbed.faults.words import PAUSE, Fault, Part


@registered
@dataclass(frozen=True, slots=True)
class TargetPaused(StruckPart):
    """A target is silent: connections open, nothing is answered. It goes on when the fault ends."""

    name: ClassVar[str] = "target-paused"
    numbers: ClassVar[tuple[int, ...]] = (34,)
    word: ClassVar[Fault] = PAUSE
    parts: ClassVar[tuple[Part, ...]] = TARGETS
