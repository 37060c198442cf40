"""The number of requests so far, as the parts of the testbed pass it to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from testbed.balancer_identity import BalancerNames


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests so far: by outcome, and the answered ones by the DNS name of the balancer that served them.

    `connections` are open, by the DNS name of the balancer and the client model.
    """

    ok: int = 0
    failed: int = 0
    unknown: int = 0
    served: Mapping[str, int] = field(default_factory=dict)
    connections: Mapping[tuple[str, str], int] = field(default_factory=dict)
    names: BalancerNames = field(default_factory=BalancerNames)

    @property
    def total(self) -> int:
        """The number of requests that have ended."""
        return self.ok + self.failed + self.unknown

    def served_by(self, balancer: str) -> int:
        """Return the number of answered requests that a balancer served.

        Args:
            balancer: its DNS name, or another name of it, e.g. `nlb` or `service/shop/envoy`.

        Raises:
            BadInput: the name means nothing, or is short and stands for balancers of several owners.
        """
        if balancer in self.served:
            return self.served[balancer]
        return sum(self.served.get(one.dns_name, 0) for one in self.names.resolve(balancer))

    def since(self, earlier: Counts) -> Counts:
        """Return what was counted after `earlier`."""
        served = {name: count - earlier.served.get(name, 0) for name, count in self.served.items()}
        return Counts(
            self.ok - earlier.ok,
            self.failed - earlier.failed,
            self.unknown - earlier.unknown,
            served,
            self.connections,
            self.names,
        )
