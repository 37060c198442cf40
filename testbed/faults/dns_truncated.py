"""The name servers truncate each answer over UDP, so that a client asks again over TCP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.spoiled_answers import Spoiled, SpoiledAnswers


@registered
@dataclass(frozen=True, slots=True)
class DnsTruncated(SpoiledAnswers):
    """The name servers truncate each answer over UDP, so that a client asks again over TCP."""

    name: ClassVar[str] = "dns-truncated"
    numbers: ClassVar[tuple[int, ...]] = (16,)
    effect: ClassVar[Spoiled] = Spoiled.TRUNCATED
