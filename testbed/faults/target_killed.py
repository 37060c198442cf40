"""A target pod ends by SIGKILL: its connections are reset; it starts again when the fault ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.struck_part import TARGETS, StruckPart
from testbed.faults.words import KILL, Fault, Part


@registered
@dataclass(frozen=True, slots=True)
class TargetKilled(StruckPart):
    """A target pod ends by SIGKILL: its connections are reset; it starts again when the fault ends."""

    name: ClassVar[str] = "target-killed"
    numbers: ClassVar[tuple[int, ...]] = (32,)
    word: ClassVar[Fault] = KILL
    parts: ClassVar[tuple[Part, ...]] = TARGETS
