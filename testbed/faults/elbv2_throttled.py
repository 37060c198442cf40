"""ELBv2 throttles every call of the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.refused_calls import RefusedCall, RefusedCalls


@registered
@dataclass(frozen=True, slots=True)
class Elbv2Throttled(RefusedCalls):
    """ELBv2 throttles every call of the account."""

    name: ClassVar[str] = "elbv2-throttled"
    numbers: ClassVar[tuple[int, ...]] = (8,)
    service: ClassVar[str] = "elbv2"
    operations: ClassVar[frozenset[str]] = frozenset()
    answer: ClassVar[RefusedCall] = RefusedCall("Throttling", "Rate exceeded", 400)
