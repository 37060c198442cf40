"""What a scenario needs of a running topology, be it local processes or containers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from testbed.aws.clients import Clients
    from testbed.clock import Clock
    from testbed.journal import Journal
    from testbed.kubernetes.objects import Object
    from testbed.network import Network
    from testbed.runtime.counts import Counts
    from testbed.traffic.probe import ProbeResult

BalancerType = Literal["nlb", "alb"]


class Store(Protocol):
    """The cluster's objects, as an operator with kubectl sees them."""

    def list_all(self) -> Iterable[Object]:
        """Every object of every kind."""

    def apply(self, item: Mapping[str, Any]) -> Object:
        """`kubectl apply`."""

    def annotate(
        self, kind: str, namespace: str | None, name: str, annotations: Mapping[str, str | None]
    ) -> object:
        """`kubectl annotate`; None removes an annotation."""

    def delete(self, kind: str, namespace: str | None, name: str) -> None:
        """`kubectl delete`."""


class Topology(Protocol):
    """A topology that runs. Everything else is reached by the public APIs: Kubernetes, AWS, DNS."""

    clock: Clock
    network: Network
    journal: Journal
    clients: Clients

    @property
    def store(self) -> Store:
        """The cluster's objects."""

    def start_traffic(self, rate: float) -> None:
        """Start the open-loop clients of the host, `rate` requests per wall second."""

    def stop_traffic(self) -> None:
        """Stop sending, wait for what is in flight."""

    def counts(self) -> Counts:
        """What the clients saw so far. Raises `Missing` if the generator died."""

    def flows(self, balancer: BalancerType) -> int:
        """Client connections that are open at the balancers of a type (CloudWatch: ActiveFlowCount)."""

    def addresses(self, dns_name: str) -> Sequence[str]:
        """The addresses of a balancer, one a zone."""

    def external_dns_log(self) -> Sequence[str]:
        """The messages that ExternalDNS logged so far, oldest first."""

    def external_dns_syncs(self) -> tuple[int, int]:
        """How many syncs ExternalDNS has begun and finished."""

    def probe(self, dns_name: str) -> Sequence[ProbeResult]:
        """One gRPC and one REST request of the host, at a balancer called by its own name."""

    def tools(self) -> Mapping[str, str]:
        """What the commands of a runbook need in their environment to reach the topology."""

    def fault(self, kind: str, part: str) -> AbstractContextManager[None]:
        """Strike a part while the block lasts. Raises `BadInput` where that is not possible."""

    def check(self) -> None:
        """Raise `Missing` with its last words if a process of the topology has ended."""
