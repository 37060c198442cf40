"""The faults of the hosted zones' name servers: what becomes of an answer while one lasts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from testbed.faults.injected_fault import InjectedFault, Reach


class Spoiled(Enum):
    """What becomes of an answer."""

    SERVFAIL = "SERVFAIL"
    SILENCE = "no answer"
    TRUNCATED = "truncated over UDP, whole over TCP"
    NXDOMAIN = "no such name"
    STALE = "as it was when the fault began"


@dataclass(frozen=True, slots=True)
class SpoiledAnswers(InjectedFault):
    """A fault of the name servers.

    Attributes:
        effect: what becomes of each answer.
    """

    reach: ClassVar[Reach] = Reach.DNS
    effect: ClassVar[Spoiled]
