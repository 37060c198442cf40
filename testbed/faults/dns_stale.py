"""The name servers answer as they did when the fault began."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.spoiled_answers import Spoiled, SpoiledAnswers


@registered
@dataclass(frozen=True, slots=True)
class DnsStale(SpoiledAnswers):
    """The name servers answer as they did when the fault began."""

    name: ClassVar[str] = "dns-stale"
    numbers: ClassVar[tuple[int, ...]] = (17,)
    effect: ClassVar[Spoiled] = Spoiled.STALE
