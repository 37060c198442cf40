"""The seam between a rehearsal and what it runs on: local processes, containers, or another runtime.

Commands, scenarios, the pytest plugin and the bench know a running topology only by the protocol `Topology`.
A runtime subclasses it, so that the type checker holds the runtime to the whole of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from testbed.aws.boto3_clients import Clients
    from testbed.balancer_identity import BalancerIdentity
    from testbed.clock import Clock
    from testbed.faults import InjectedFault, Reach
    from testbed.journal import Journal, RealController
    from testbed.kubernetes.client import KubernetesClient
    from testbed.network import Network
    from testbed.rehearsal.setup import Setup
    from testbed.traffic.balancer_probe import ProbeResult
    from testbed.traffic.counts import Counts


class KubernetesAccess(Protocol):
    """The Kubernetes API of a cluster, for kubectl."""

    @property
    def url(self) -> str:
        """The URL of the API."""

    def kubeconfig(self) -> dict[str, Any]:
        """Return the content of a kubeconfig, once the API listens.

        Raises:
            Missing: it cannot listen.
        """


class Cluster(Protocol):
    """A running cluster.

    Attributes:
        name: as in its `ClusterSetup`.
        objects: its objects, by its API.
        kubernetes: how tools of this machine reach its API; None where they are not led there.
    """

    name: str
    objects: KubernetesClient
    kubernetes: KubernetesAccess | None

    def external_dns_log(self) -> Sequence[str]:
        """Return the messages that its ExternalDNS logged so far, oldest first."""

    def external_dns_error(self) -> tuple[int, str]:
        """Return how many errors its ExternalDNS logged so far, and the message of the last one."""

    def external_dns_syncs(self) -> tuple[int, int]:
        """Return how many syncs its ExternalDNS has begun and finished; 0 and 0 without ExternalDNS."""

    def replace_external_dns(self, release: str, flags: Sequence[str]) -> None:
        """End ExternalDNS, and start a pod of another release; counts of syncs and the log go on.

        Raises:
            BadInput: that release does not know a flag; then the old one goes on.
        """


class Topology(Protocol):
    """A topology. Everything else is reached by the public APIs: Kubernetes, AWS, DNS.

    Attributes:
        setup: what it is set up for.
        clock: the clock of the run.
        network: its addresses and ports.
        journal: the journal of the run.
        clients: clients of the AWS endpoint, which spend no API limit of the controllers.
        bundle: the authorities that the traffic's clients trust, a PEM file.
        clusters: its clusters by name, in the order of the setup.
        reaches: where faults may strike.
    """

    setup: Setup
    clock: Clock
    network: Network
    journal: Journal
    clients: Clients
    bundle: Path
    clusters: Mapping[str, Cluster]
    reaches: ClassVar[frozenset[Reach]]

    @property
    def real_controllers(self) -> Sequence[RealController]:
        """The binaries of the user that run as controllers, once it has started."""

    @property
    def cluster(self) -> Cluster:
        """The first cluster: the only one, until a story has more."""
        return next(iter(self.clusters.values()))

    # --- from start to end ---------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything; `close` must follow, even if this fails.

        Raises:
            Missing: a port is taken, or a process or service does not start.
            BadInput: Envoy rejects its configuration, or ExternalDNS a flag.
        """

    def begin_story(self) -> None:
        """Let a load balancer that is made from now on be provisioned first; until here it is active at once.

        What stood before the story was provisioned long ago.
        """

    def check(self) -> None:
        """Raise the failure of a part, or `Missing` with the last words of a process that has ended."""

    def finish(self) -> None:
        """End the traffic, and bring what targets and balancers recorded into the journal.

        The access log of the ALBs goes to the journal's folder.
        """

    def close(self) -> None:
        """Stop everything that was started; may be called at any time."""

    # --- traffic -------------------------------------------------------------------------------------

    def start_traffic(self, rate: float) -> None:
        """Start the open-loop clients of the host, `rate` requests per wall second, or change their rate."""

    def pause_traffic(self) -> None:
        """Start no requests for now; `start_traffic` goes on."""

    def stop_traffic(self) -> None:
        """Stop sending and wait for what is in flight; the traffic cannot be started again."""

    def counts(self) -> Counts:
        """Return what the clients saw so far, by outcome and by the balancer that served."""

    def probe(self, dns_name: str) -> Sequence[ProbeResult]:
        """Send one gRPC and one REST request of the host to a balancer called by its own name."""

    # --- balancers and tools -------------------------------------------------------------------------

    def balancers(self) -> Sequence[BalancerIdentity]:
        """Return all load balancers that the run has had, in the order in which they appeared."""

    def flows(self, dns_name: str) -> int:
        """Return how many client connections are open at a balancer (ActiveFlowCount); 0 if it never was."""

    def addresses(self, dns_name: str) -> Sequence[str]:
        """Return the addresses of a balancer in service, one a zone."""

    def tools(self) -> Mapping[str, str]:
        """Return the variables by which kubectl, aws and others reach the topology, with a HOME of their own.

        Raises:
            BadInput: tools of this machine cannot reach it.
            Missing: the Kubernetes API did not start.
        """

    def fault(self, kind: str, part: str) -> AbstractContextManager[None]:
        """Strike a part while the block lasts.

        Raises:
            BadInput: there is no such fault or part here.
        """

    def strike(self, fault: InjectedFault) -> AbstractContextManager[None]:
        """Play a fault that is within `reaches` while the block lasts.

        Raises:
            BadInput: what it strikes is struck already, or is not part of this run.
        """
