"""The readiness of a target pod comes and goes, while the pod itself serves on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from testbed.errors import BadInput
from testbed.faults.injected_fault import InjectedFault, Reach, check_seconds, registered
from testbed.faults.struck_part import TARGETS
from testbed.faults.words import Part


@registered
@dataclass(frozen=True, slots=True)
class ReadinessFlapping(InjectedFault):
    """A target pod is unready and ready in turn, as one is whose probe has a timeout that is too short.

    The pod is deregistered and registered each time. It is ready when the fault ends.

    Attributes:
        part: the pod.
        seconds: production seconds of each state.

    Raises:
        BadInput: there is no such pod, or the seconds are out of their range.
    """

    name: ClassVar[str] = "readiness-flapping"
    numbers: ClassVar[tuple[int, ...]] = (33,)
    reach: ClassVar[Reach] = Reach.PODS
    part: Part
    seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.part not in TARGETS:
            raise BadInput(f"{self.name}: no part {self.part!r}", do=f"write {' or '.join(TARGETS)}")
        check_seconds(self, self.seconds)

    @classmethod
    def samples(cls) -> Sequence[ReadinessFlapping]:
        """Return flaps below and above the time that a deregistration takes."""
        return [cls(part, seconds) for part in TARGETS for seconds in (5.0, 20.0)]
