"""Route 53 refuses each change, because an earlier one is not complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.refused_calls import RefusedCall, RefusedCalls


@registered
@dataclass(frozen=True, slots=True)
class ChangesUnfinished(RefusedCalls):
    """Route 53 refuses each change, because an earlier one is not complete."""

    name: ClassVar[str] = "changes-unfinished"
    numbers: ClassVar[tuple[int, ...]] = (1,)
    service: ClassVar[str] = "route53"
    operations: ClassVar[frozenset[str]] = frozenset({"ChangeResourceRecordSets"})
    answer: ClassVar[RefusedCall] = RefusedCall(
        "PriorRequestNotComplete",
        "The request was rejected because Route 53 was still processing a prior request.",
        400,
    )
