"""The faults of the AWS APIs: some calls of the controllers and tools are refused with AWS's own error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from testbed.faults.injected_fault import InjectedFault, Reach


class RefusedCall(NamedTuple):
    """AWS's error: its code, its message and the HTTP status."""

    code: str
    message: str
    status: int


@dataclass(frozen=True, slots=True)
class RefusedCalls(InjectedFault):
    """A fault that refuses calls.

    Attributes:
        service: of the calls that it strikes, `route53`.
        operations: of the calls that it strikes; empty for all of the service.
        answer: what AWS answers then.
    """

    reach: ClassVar[Reach] = Reach.AWS
    service: ClassVar[str]
    operations: ClassVar[frozenset[str]] = frozenset()
    answer: ClassVar[RefusedCall]

    def refusal(self, service: str, operation: str) -> RefusedCall | None:
        """Return AWS's error for a call; None if the fault does not strike it."""
        if service != self.service or (self.operations and operation not in self.operations):
            return None
        return self.answer
