"""The faults of one part of the data plane, which each runtime strikes by its own means: signals, Docker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from testbed.errors import BadInput
from testbed.faults.injected_fault import InjectedFault, Reach
from testbed.faults.words import Fault, Part

TARGETS: tuple[Part, ...] = ("envoy-0", "envoy-1")
BACKENDS: tuple[Part, ...] = ("backend-0", "backend-1")
BALANCERS: tuple[Part, ...] = ("nlb", "alb")


@dataclass(frozen=True, slots=True)
class StruckPart(InjectedFault):
    """A fault of one part.

    Attributes:
        part: the part that it strikes.
        word: the fault of that part in one word.
        parts: the parts that it may strike.

    Raises:
        BadInput: it does not strike such a part.
    """

    reach: ClassVar[Reach] = Reach.PARTS
    word: ClassVar[Fault]
    parts: ClassVar[tuple[Part, ...]]
    part: Part

    def __post_init__(self) -> None:
        if self.part not in self.parts:
            raise BadInput(f"{self.name}: no part {self.part!r}", do=f"write {' or '.join(self.parts)}")

    @classmethod
    def samples(cls) -> Sequence[StruckPart]:
        """Return the fault of each part that it may strike."""
        return [cls(part) for part in cls.parts]
