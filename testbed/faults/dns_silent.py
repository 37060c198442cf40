"""The name servers of the hosted zones answer nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.spoiled_answers import Spoiled, SpoiledAnswers


@registered
@dataclass(frozen=True, slots=True)
class DnsSilent(SpoiledAnswers):
    """The name servers of the hosted zones answer nothing."""

    name: ClassVar[str] = "dns-silent"
    numbers: ClassVar[tuple[int, ...]] = (16,)
    effect: ClassVar[Spoiled] = Spoiled.SILENCE
