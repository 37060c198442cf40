"""A target pod ends by SIGTERM before anybody deregisters it; it starts again when the fault ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.struck_part import TARGETS, StruckPart
from testbed.faults.words import STOP, Fault, Part


@registered
@dataclass(frozen=True, slots=True)
class TargetStopped(StruckPart):
    """A target pod ends by SIGTERM before anybody deregisters it; it starts again when the fault ends."""

    name: ClassVar[str] = "target-stopped"
    numbers: ClassVar[tuple[int, ...]] = (32,)
    word: ClassVar[Fault] = STOP
    parts: ClassVar[tuple[Part, ...]] = TARGETS
