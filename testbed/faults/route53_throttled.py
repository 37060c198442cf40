"""Route 53 throttles every call of the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.refused_calls import RefusedCall, RefusedCalls


@registered
@dataclass(frozen=True, slots=True)
class Route53Throttled(RefusedCalls):
    """Route 53 throttles every call of the account."""

    name: ClassVar[str] = "route53-throttled"
    numbers: ClassVar[tuple[int, ...]] = (1,)
    service: ClassVar[str] = "route53"
    operations: ClassVar[frozenset[str]] = frozenset()
    answer: ClassVar[RefusedCall] = RefusedCall("Throttling", "Rate exceeded", 400)
