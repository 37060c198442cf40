"""A backend pod ends by SIGKILL; the targets have another. It starts again when the fault ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.struck_part import BACKENDS, StruckPart
from testbed.faults.words import KILL, Fault, Part


@registered
@dataclass(frozen=True, slots=True)
class BackendKilled(StruckPart):
    """A backend pod ends by SIGKILL; the targets have another. It starts again when the fault ends."""

    name: ClassVar[str] = "backend-killed"
    numbers: ClassVar[tuple[int, ...]] = (32,)
    word: ClassVar[Fault] = KILL
    parts: ClassVar[tuple[Part, ...]] = BACKENDS
