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
from typing import TYPE_CHECKING

from testbed import ipv6_loopback, machine
from testbed.child_process import Command, Process
from testbed.clock import Clock
from testbed.faults import InjectedFault, Reach
from testbed.journal import Journal, RealController
from testbed.network import AWS_PORT, BALANCER_TYPES, MOTO_PORT, Network
from testbed.rehearsal.setup import Setup
from testbed.rehearsal.topology import Topology
from testbed.runtime.components import backends, balancer_envoys, target_envoys
from testbed.runtime.components.confined_controllers import ConfinedControllers
from testbed.runtime.components.control_plane import ControlPlane
from testbed.runtime.components.envoy_process import Envoy
from testbed.runtime.components.traffic_generator import TrafficGenerator
from testbed.runtime.local_faults import Certified, LocalFaults, Struck
from testbed.runtime.loop_thread import LoopThread
from testbed.runtime.upkeep import Upkeep
from testbed.traffic.counts import Counts

if TYPE_CHECKING:
    from testbed.balancer_identity import BalancerIdentity
    from testbed.traffic.balancer_probe import ProbeResult

_NEEDED_SOON = (
    "testbed.load_balancers.envoy_fleet",
    "testbed.dns.zone_refresh",
    "testbed.dns.dns_server",
    "testbed.lb_controller.controllers.in_tree_service_controller",
    "testbed.lb_controller.controllers.ingress_group_controller",
    "testbed.lb_controller.controllers.nlb_service_controller",
    "testbed.external_dns.process.sync_loop",
    "testbed.kubernetes.api.api_server",
)
"""Imported while moto starts, which takes as long, so that nothing waits for them later. The main thread
imports them: a Ctrl-C during an import leaves its lock held, and the process cannot end while a thread waits
for that lock."""


class Processes(Topology):
    """A topology of local processes, in an address range of its own.

    Args:
        report: the folder of the journal.
    """

    reaches = frozenset(Reach)

    def __init__(self, setup: Setup, clock: Clock, network: Network, journal: Journal, report: Path) -> None:
        self.setup, self.clock, self.network, self.journal = setup, clock, network, journal
        self._report = report
        self._upkeep = Upkeep()
        self._tools: Mapping[str, str] | None = None
        self._faults = LocalFaults(self._upkeep, clock)
        self._has_traffic = False

    @property
    def controllers(self) -> ConfinedControllers:
        """Where binaries of the user live."""
        return self._plane.controllers

    @property
    def real_controllers(self) -> Sequence[RealController]:
        """The binaries of the user that run as controllers."""
        return [one for cluster in self._plane.clusters.values() for one in cluster.real_controllers]

    def close(self) -> None:
        """Stop everything that was started; may be called at any time."""
        self._upkeep.close()

    # --- start -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything; `close` must follow, even if this fails.

        Raises:
            Missing: a port is taken, a process cannot be started, or too few files may be open.
            BadInput: Envoy rejects its configuration, or ExternalDNS a flag.
        """
        from testbed.load_balancers import connection_resets
        from testbed.runtime.components import moto as moto_process

        machine.check_open_files()
        self._folder = self._upkeep.folder()
        moto = self._spawn(moto_process.command(self.network.control, MOTO_PORT))
        targets = self._start_targets()
        self._traffic = TrafficGenerator(
            self.setup,
            self.clock,
            self.network,
            self.journal,
            bundle=self.bundle,
            # Lambdas, because the control plane is made later: the generator takes long to start.
            balancers=lambda: self._plane.balancers(),
            balancer_at=lambda peer: self._plane.balancer_at(peer),
            upkeep=self._upkeep,
        )
        has_ipv6 = ipv6_loopback.is_available()
        ipv6_ports = ipv6_loopback.NodePorts(self._folder / "ipv6-ports.json") if has_ipv6 else None
        self._traffic.start(self._folder, ipv6_ports)
        loop = self._upkeep.loop()
        self._start_endpoint(loop, moto)
        self._plane.start_balancers(loop, self._folder, ipv6_ports)
        # Set late: the endpoint is there before the balancers, and answers for their health checks.
        self._endpoint.target_health = self._plane.fleet.health.describe
        self._balancers = {
            kind: balancer_envoys.envoy(kind, self.network, self.clock, self._folder)
            for kind in BALANCER_TYPES
        }
        balancers = [(one, self._spawn_envoy(one)) for one in self._balancers.values()]
        by_kind = {process.name: process for _, process in balancers}
        self._plane.fleet.cut = lambda kind, nodes, gone: connection_resets.cut(
            by_kind[kind].pid, nodes, gone
        )
        self._plane.start_dns(loop)
        for configured, process in (*targets, *balancers):
            configured.wait_until_ready(process)
        backend_pods = [
            (address, process, partial(backends.is_ready, self.setup, address))
            for address, process in self._backends
        ]
        for _, process, is_ready in backend_pods:
            process.wait_until(is_ready)
        self._faults.know(
            Struck(
                targets,
                balancers,
                backend_pods,
                self._plane,
                self._endpoint,
                self.cluster.objects,
                self._folder,
                Certified(self.setup.host, self._certificates, self._served, self._changes),
            )
        )
        self._plane.start_clusters(loop)
        self._traffic.wait_until_ready()
        self._plane.wait_for_real_controllers()

    def _start_targets(self) -> list[tuple[Envoy, Process]]:
        from testbed.aws.certificate_store import CertificateStore

        backends.check(self.setup)
        addresses = [self.network.backend_pod(index) for index in range(backends.PODS)]
        # Not strict: there is no command at all if the user's own servers run already.
        self._backends = [
            (address, self._spawn(command))
            for address, command in zip(addresses, backends.commands(self.setup, addresses), strict=False)
        ]
        self._certificates = CertificateStore(self._folder / "tls")
        self.bundle = self._certificates.bundle
        certificate, key = self._certificates.target_certificate(self.setup.host)
        configured = [
            target_envoys.envoy(pod, self.clock, self._folder)
            for pod in target_envoys.pods(self.setup, self.network, certificate, key)
        ]
        return [(one, self._spawn_envoy(one)) for one in configured]

    def _start_endpoint(self, loop: LoopThread, moto: Process) -> None:
        from testbed.aws import standing_certificates
        from testbed.aws.api_calls import OBSERVER
        from testbed.aws.aws_endpoint import AwsEndpoint
        from testbed.aws.boto3_clients import Clients
        from testbed.aws.change_feed import ChangeFeed
        from testbed.aws.served_certificates import ServedCertificates
        from testbed.runtime.components import moto as moto_process

        backend = f"http://{self.network.control}:{MOTO_PORT}"
        changes = ChangeFeed()
        self._endpoint = AwsEndpoint(
            self.network.control,
            AWS_PORT,
            backend,
            changes=changes,
            certificates=self._certificates,
            run_journal=self.journal,
            clock=self.clock,
            name_server=(self.network.dns, self.network.dns_port),
        )
        self._endpoint.balancer_provisioning = 0.0
        self._upkeep.serve(loop, self._endpoint.start(), self._endpoint.stop)
        # A rehearsal that watches its run must not use up the API rate of the controllers.
        self.clients = Clients(self.network.aws_endpoint, access_key=OBSERVER)
        inside = Clients(backend)
        self._changes, self._served = changes, ServedCertificates(self._certificates)
        self._plane = ControlPlane(
            self.setup,
            self.clock,
            self.network,
            self.journal,
            customer=Clients(self.network.aws_endpoint),
            # AWS's own balancers and name servers look behind the endpoint, so they spend no API limit.
            inside=inside,
            observer=self.clients,
            changes=changes,
            certificates=self._served,
            upkeep=self._upkeep,
        )
        self.clusters = self._plane.clusters
        for module in _NEEDED_SOON:
            importlib.import_module(module)
        moto.wait_until(lambda: moto_process.is_ready(moto))
        standing_certificates.stand_in(self.setup.certificates, self._certificates, inside.acm)
        self.clients.route53.create_hosted_zone(Name=self.setup.zone, CallerReference="testbed")

    # --- a run -----------------------------------------------------------------------------------------

    def begin_story(self) -> None:
        """Let a load balancer that is made from now on be provisioned for as long as the setup says."""
        self._endpoint.balancer_provisioning = self.setup.balancer_provisioning
        for cluster in self.clusters.values():
            cluster.begin_story()

    def start_traffic(self, rate: float) -> None:
        """Start the open-loop clients, `rate` requests per wall second."""
        if not self._has_traffic:
            self._plane.wait_for_names(self.setup.host)
            self._has_traffic = True
        self._traffic.start_traffic(rate)

    def pause_traffic(self) -> None:
        """Start no requests for now; `start_traffic` goes on."""
        self._traffic.pause_traffic()

    def stop_traffic(self) -> None:
        """Stop sending and wait for what is in flight; it cannot be started again."""
        self._traffic.stop_traffic()

    def counts(self) -> Counts:
        """Return what the clients saw so far, by outcome and by the balancer that served."""
        return self._traffic.counts()

    def balancers(self) -> Sequence[BalancerIdentity]:
        """Return all balancers that the run has had, in the order in which they appeared."""
        return self._plane.balancers()

    def flows(self, dns_name: str) -> int:
        """Return how many client connections are open at a balancer."""
        return self._plane.flows(dns_name)

    def addresses(self, dns_name: str) -> Sequence[str]:
        """Return the addresses of a balancer in service, one a zone."""
        return self._plane.addresses(dns_name)

    def probe(self, dns_name: str) -> Sequence[ProbeResult]:
        """Send one gRPC and one REST request of the host to a balancer called by its own name."""
        return self._traffic.probe(dns_name)

    def tools(self) -> Mapping[str, str]:
        """Return the variables that kubectl, aws and others need, with a HOME of their own.

        Raises:
            Missing: the Kubernetes API did not start.
        """
        from testbed.runtime import environment_files

        if self._tools is None:
            folder = self._upkeep.folder()
            self._tools = {"HOME": str(folder), **environment_files.write(self, folder)}
        return self._tools

    def fault(self, kind: str, part: str) -> AbstractContextManager[None]:
        """Strike a process while the block lasts.

        Raises:
            BadInput: there is no such fault or part here, or the part is struck already.
        """
        return self._faults.fault(kind, part)

    def strike(self, fault: InjectedFault) -> AbstractContextManager[None]:
        """Play a fault that is within `reaches` while the block lasts.

        Raises:
            BadInput: what it strikes is struck already, or is not part of this run.
            Missing: this user may not reach what it strikes.
        """
        return self._faults.strike(fault)

    def check(self) -> None:
        """Raise the failure of a part, or `Missing` if a process has ended."""
        self._upkeep.check()

    def finish(self) -> None:
        """End the traffic, and bring what targets and balancers recorded into the journal."""
        self._traffic.stop_traffic()
        admins = {balancer_type: envoy.admin for balancer_type, envoy in self._balancers.items()}
        self._plane.finish(admins, self._folder, self._report)

    def _spawn_envoy(self, envoy: Envoy) -> Process:
        envoy.write()
        return self._spawn(envoy.command)

    def _spawn(self, command: Command) -> Process:
        return self._upkeep.spawn(command, self._folder)
