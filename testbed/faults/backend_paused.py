"""A backend accepts connections and answers nothing, as one does that is overloaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.struck_part import BACKENDS, StruckPart
from testbed.faults.words import PAUSE, Fault, Part


@registered
@dataclass(frozen=True, slots=True)
class BackendPaused(StruckPart):
    """A backend accepts connections and answers nothing, as one does that is overloaded."""

    name: ClassVar[str] = "backend-paused"
    numbers: ClassVar[tuple[int, ...]] = (34,)
    word: ClassVar[Fault] = PAUSE
    parts: ClassVar[tuple[Part, ...]] = BACKENDS
