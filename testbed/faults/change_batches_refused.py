"""Route 53 refuses each batch of changes whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.refused_calls import RefusedCall, RefusedCalls


@registered
@dataclass(frozen=True, slots=True)
class ChangeBatchesRefused(RefusedCalls):
    """Route 53 refuses each batch of changes whole."""

    name: ClassVar[str] = "change-batches-refused"
    numbers: ClassVar[tuple[int, ...]] = (3,)
    service: ClassVar[str] = "route53"
    operations: ClassVar[frozenset[str]] = frozenset({"ChangeResourceRecordSets"})
    answer: ClassVar[RefusedCall] = RefusedCall(
        "InvalidChangeBatch", "The request contains an invalid set of changes for a resource record set", 400
    )
