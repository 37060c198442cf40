"""Each request, or a share of them, waits in a target before it goes on: Envoy's HTTP fault filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import InjectedFault, Reach, check_seconds, check_share, registered


@registered
@dataclass(frozen=True, slots=True)
class TargetSlow(InjectedFault):
    """Requests at all targets wait before they go to a backend.

    Attributes:
        seconds: for how many wall seconds: a client's patience is wall time, too.
        share: of the requests, above 0 and at most 1.

    Raises:
        BadInput: one is out of its range.
    """

    name: ClassVar[str] = "target-slow"
    numbers: ClassVar[tuple[int, ...]] = (31, 34)
    reach: ClassVar[Reach] = Reach.TARGET_FILTER
    seconds: float
    share: float = 1.0

    def __post_init__(self) -> None:
        check_seconds(self, self.seconds)
        check_share(self, self.share)

    @classmethod
    def samples(cls) -> Sequence[TargetSlow]:
        """Return delays below and above what clients notice, seldom, often and always."""
        return [cls(seconds, share) for seconds in (0.05, 0.2, 0.5) for share in (0.1, 0.5, 1.0)]

    def runtime(self) -> Mapping[str, int]:
        """Return the runtime keys of Envoy's fault filter."""
        return {
            "fault.http.delay.fixed_duration_ms": round(self.seconds * 1000),
            "fault.http.delay.fixed_delay_percent": round(self.share * 100),
        }
