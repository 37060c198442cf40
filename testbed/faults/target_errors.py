"""The targets answer an HTTP status instead of the backend: Envoy's HTTP fault filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from testbed.errors import BadInput
from testbed.faults.injected_fault import InjectedFault, Reach, check_share, registered

_FIRST, _LAST = 400, 599


@registered
@dataclass(frozen=True, slots=True)
class TargetErrors(InjectedFault):
    """All targets answer a share of the requests with an error. Their health checks are struck as well.

    Attributes:
        status: the HTTP status, 400 to 599; gRPC clients see its gRPC status (503: UNAVAILABLE).
        share: of the requests, above 0 and at most 1; whole per cent.

    Raises:
        BadInput: one is out of its range.
    """

    name: ClassVar[str] = "target-errors"
    numbers: ClassVar[tuple[int, ...]] = (25, 26)
    reach: ClassVar[Reach] = Reach.TARGET_FILTER
    status: int = 503
    share: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.status, int) or not _FIRST <= self.status <= _LAST:
            raise BadInput(f"{self.name}: {self.status!r} is no error status", do="write 400 to 599")
        check_share(self, self.share)

    @classmethod
    def samples(cls) -> Sequence[TargetErrors]:
        """Return what a backend's own trouble looks like, seldom, often and always."""
        return [cls(status, share) for status in (500, 502, 503, 504) for share in (0.1, 0.5, 1.0)]

    def runtime(self) -> Mapping[str, int]:
        """Return the runtime keys of Envoy's fault filter."""
        return {
            "fault.http.abort.http_status": self.status,
            "fault.http.abort.abort_percent": round(self.share * 100),
        }
