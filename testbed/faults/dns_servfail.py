"""The name servers of the hosted zones answer SERVFAIL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.spoiled_answers import Spoiled, SpoiledAnswers


@registered
@dataclass(frozen=True, slots=True)
class DnsServfail(SpoiledAnswers):
    """The name servers of the hosted zones answer SERVFAIL."""

    name: ClassVar[str] = "dns-servfail"
    numbers: ClassVar[tuple[int, ...]] = (16,)
    effect: ClassVar[Spoiled] = Spoiled.SERVFAIL
