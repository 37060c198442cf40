"""The whole topology as local processes on loopback addresses.

```
processes  moto · backends · target Envoys · balancer Envoys · traffic generator
loop       AWS endpoint · discovery and health checks of the balancers · DNS
threads    endpoints · Service and Ingress group controllers · ExternalDNS · hosted zones
```

Slow starters go first: they start while this process still imports its servers. Leaving the block stops
everything in the reverse order.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.journal import Journal
from testbed.network import AWS_PORT, MOTO_PORT, Network
from testbed.runtime import backends, clients, cluster, envoy
from testbed.runtime.control_plane import ControlPlane
from testbed.runtime.counts import Counts
from testbed.runtime.kubernetes_access import KubernetesAccess
from testbed.runtime.loop import LoopThread
from testbed.runtime.process import Command, Process
from testbed.runtime.setup import Setup
from testbed.runtime.upkeep import Upkeep

if TYPE_CHECKING:
    from testbed.aws.clients import Clients
    from testbed.kubernetes import ObjectStore
    from testbed.traffic.probe import ProbeResult

_NEEDED_SOON = (
    "testbed.load_balancers.fleet",
    "testbed.dns.hosted_zones",
    "testbed.dns.server",
    "testbed.lb_controller.controller",
    "testbed.external_dns.controller",
    "testbed.kubernetes.api.server",
)
"""Imported while moto starts, which takes as long: nothing then waits for them. And by the main
thread: a Ctrl-C in the midst of an import leaves its lock held, and who waits for it keeps the process."""

BalancerType = Literal["nlb", "alb"]


class Embedded:
    """A running topology: what `testbed.rehearsal.topology.Topology` asks for.

    Attributes:
        store: the cluster's objects.
        clients: of the AWS endpoint.
        certificates: the run's authorities; `certificates.bundle` is what clients trust.
    """

    store: ObjectStore
    clients: Clients

    def __init__(self, setup: Setup, clock: Clock, network: Network, journal: Journal, folder: Path) -> None:
        self.setup, self.clock, self.network, self.journal = setup, clock, network, journal
        self._report = folder
        self._upkeep = Upkeep()
        self._tools: Mapping[str, str] | None = None

    @property
    def bundle(self) -> Path:
        """The authorities that clients trust, PEM."""
        return self.certificates.bundle

    def close(self) -> None:
        """Stop everything that was started; may be called at any time."""
        self._upkeep.close()

    # --- start -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything; `close` must follow, even if this fails.

        Raises:
            Missing: a port is taken, or a process cannot be started.
            BadInput: Envoy rejects its configuration, or ExternalDNS a flag.
        """
        from testbed.aws import moto_process
        from testbed.load_balancers import flows

        self._folder = self._upkeep.folder()
        moto = self._spawn(moto_process.command(self.network.control, MOTO_PORT))
        targets = self._start_targets()
        self._traffic = clients.Clients(
            self.setup,
            self.clock,
            self.network,
            self.journal,
            bundle=self.certificates.bundle,
            balancer_type=lambda peer: self._plane.balancer_type(peer),
            upkeep=self._upkeep,
        )
        self._traffic.start(self._folder)
        loop = self._upkeep.loop()
        self._start_endpoint(loop, moto)
        self._plane.start_balancers(loop, self._folder)
        self._endpoint.target_health = self._plane.fleet.health.describe
        self._balancers = {
            kind: envoy.balancers(kind, self.network, self.clock, self._folder) for kind in ("nlb", "alb")
        }
        balancers = [(one, self._spawn(one.command)) for one in self._balancers.values()]
        pids = {process.name: process.pid for _, process in balancers}
        self._plane.fleet.cut = lambda kind, nodes, gone: flows.cut(pids[kind], nodes, gone)
        self._plane.start_dns(loop)
        for configured, process in (*targets, *balancers):
            configured.wait_until_ready(process)
        for address, process in self._backends:
            process.wait_until(partial(backends.is_ready, self.setup, address))
        self._plane.start_controllers()
        self.kubernetes = KubernetesAccess(self.store, self.clock, self.network, self.setup.seed)
        self.kubernetes.start(loop, self._upkeep)
        self._traffic.wait_until_ready()

    def _start_targets(self) -> list[tuple[envoy.Envoy, Process]]:
        from testbed.aws.certificates import CertificateStore

        addresses = [self.network.backend_pod(index) for index in range(cluster.PODS)]
        backends.check(self.setup, self.network)
        self._backends = [
            (address, self._spawn(command))
            for address, command in zip(addresses, backends.commands(self.setup, addresses), strict=False)
        ]
        self.certificates = CertificateStore(self._folder / "tls")
        certificate, key = self.certificates.target_certificate(self.setup.host)
        started = []
        for index in range(cluster.PODS):
            pod = envoy.TargetPod(
                name=cluster.pod_name(index),
                address=self.network.envoy_pod(index),
                backends=tuple(addresses),
                certificate=certificate,
                key=key,
                max_connection_age=self.setup.connection_age,
                tls_ports=tuple(self.setup.tls_ports),
                plain_ports=tuple(self.setup.plain_ports),
                proxy_protocol=self.setup.proxy_protocol,
                grpc=backends.address(self.setup.backend_grpc or self.setup.backend_rest),
                rest=backends.address(self.setup.backend_rest or self.setup.backend_grpc),
            )
            configured = envoy.target(pod, self.clock, self._folder)
            started.append((configured, self._spawn(configured.command)))
        return started

    def _start_endpoint(self, loop: LoopThread, moto: Process) -> None:
        from testbed.aws import moto_process
        from testbed.aws.calls import OBSERVER
        from testbed.aws.changes import ChangeFeed
        from testbed.aws.clients import Clients
        from testbed.aws.endpoint import AwsEndpoint

        backend = f"http://{self.network.control}:{MOTO_PORT}"
        changes = ChangeFeed()
        self._endpoint = AwsEndpoint(
            self.network.control,
            AWS_PORT,
            backend,
            changes=changes,
            certificates=self.certificates,
            run_journal=self.journal,
            clock=self.clock,
        )
        self._upkeep.serve(loop, self._endpoint.start(), self._endpoint.stop)
        self._plane = ControlPlane(
            self.setup,
            self.clock,
            self.network,
            self.journal,
            customer=Clients(self.network.aws_endpoint),
            # AWS's own balancers and name servers look behind the endpoint: no API limit is spent.
            inside=Clients(backend),
            changes=changes,
            certificates=self.certificates,
            upkeep=self._upkeep,
        )
        self.store = self._plane.store
        # Who only watches a run must not use up the API rate that its controllers have.
        self.clients = Clients(self.network.aws_endpoint, access_key=OBSERVER)
        for module in _NEEDED_SOON:
            importlib.import_module(module)
        moto.wait_until(lambda: moto_process.is_ready(moto))
        self.clients.route53.create_hosted_zone(Name=self.setup.zone, CallerReference="testbed")

    # --- what a scenario needs -----------------------------------------------------------------------

    def start_traffic(self, rate: float) -> None:
        """Start the open-loop clients, `rate` requests per wall second."""
        self._traffic.start_traffic(rate)

    def pause_traffic(self) -> None:
        """Start no requests for now; `start_traffic` goes on."""
        self._traffic.pause_traffic()

    def stop_traffic(self) -> None:
        """Stop sending and wait for what is in flight; it cannot be started again."""
        self._traffic.stop_traffic()

    def counts(self) -> Counts:
        """What the clients saw so far, by outcome and by the balancer that served."""
        return self._traffic.counts()

    def flows(self, balancer: BalancerType) -> int:
        """Client connections that are open at the balancers of a type (CloudWatch: ActiveFlowCount)."""
        return envoy.active_connections(self._balancers[balancer].admin)

    def addresses(self, dns_name: str) -> Sequence[str]:
        """The addresses of a balancer that is in service, one a zone."""
        return self._plane.addresses(dns_name)

    def external_dns_log(self) -> Sequence[str]:
        """The messages that ExternalDNS logged so far, oldest first."""
        return self._plane.external_dns_log()

    def external_dns_syncs(self) -> tuple[int, int]:
        """How many syncs ExternalDNS has begun and finished."""
        return self._plane.external_dns_syncs()

    def probe(self, dns_name: str) -> Sequence[ProbeResult]:
        """One gRPC and one REST request of the host, at a balancer called by its own name."""
        return self._traffic.probe(dns_name)

    def tools(self) -> Mapping[str, str]:
        """What kubectl, aws and others need in their environment; a HOME of their own is in it.

        Raises:
            Missing: the Kubernetes API did not start.
        """
        from testbed.runtime import environment

        if self._tools is None:
            folder = self._upkeep.folder()
            self._tools = {"HOME": str(folder), **environment.write(self, folder)}
        return self._tools

    def fault(self, kind: str, part: str) -> AbstractContextManager[None]:
        """Not here. Raises `BadInput`."""
        raise BadInput(f"no {kind} of {part} among local processes", do="play it with --on compose")

    def check(self) -> None:
        """Raise the failure of a part of the topology, or `Missing` if one of its processes has ended."""
        self._upkeep.check()

    def finish(self) -> None:
        """End the traffic and bring the targets' access logs and the balancers' metrics into the journal.

        The ALBs' own access log goes into the report's folder.
        """
        from testbed.load_balancers.records import record

        self._traffic.stop_traffic()
        # Envoy writes its log at intervals: after two of them all that was answered is there.
        self._upkeep.stop.wait(2 * envoy.LOG_FLUSH_MILLISECONDS / 1000)
        for index in range(cluster.PODS):
            self.journal.write(*envoy.access_events(envoy.access_log(self._folder, cluster.pod_name(index))))
        record(
            self._plane.fleet,
            {"nlb": self._balancers["nlb"].admin, "alb": self._balancers["alb"].admin},
            self._folder,
            self._report,
            self.clock,
            self.journal,
        )

    def _spawn(self, command: Command) -> Process:
        return self._upkeep.spawn(command, self._folder)
