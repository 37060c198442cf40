"""The control plane: the clusters with their controllers, DNS, and discovery of the balancers.

```
loop       discovery and health checks of the balancers · DNS
threads    hosted zones · of each cluster: endpoints · Service and Ingress group controllers · ExternalDNS
```

It reaches AWS by the endpoint only, and the balancers' Envoys by what it serves them, so it does not know
whether they are its children or containers.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.balancer_identity import BalancerIdentity
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.journal import Journal
from testbed.network import BalancerType, Network
from testbed.rehearsal.setup import Setup
from testbed.runtime.components import balancer_envoys, cluster_objects, ec2_cluster, target_envoys
from testbed.runtime.components.cluster import Cluster
from testbed.runtime.components.confined_controllers import ConfinedControllers
from testbed.runtime.components.envoy_process import LOG_FLUSH_MILLISECONDS
from testbed.runtime.loop_thread import LoopThread
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from testbed.aws.boto3_clients import Clients
    from testbed.ipv6_loopback import NodePorts
    from testbed.load_balancers.envoy_fleet import Certificates, Changes


class ControlPlane:
    """A running control plane.

    Args:
        customer: clients of the controllers, whose calls count.
        inside: clients of AWS's own parts, whose calls do not.
        observer: clients of the endpoint, whose calls do not count either.
        changes, certificates: what the endpoint publishes.
        sockets: a folder where the API of each cluster listens at a Unix socket, beside its port.

    Attributes:
        clusters: the clusters by name, in the order of the setup.
        fleet: the balancers, once `start_balancers` has returned.
        controllers: where binaries of the user live, once `start_clusters` has returned.
    """

    def __init__(
        self,
        setup: Setup,
        clock: Clock,
        network: Network,
        journal: Journal,
        *,
        customer: Clients,
        inside: Clients,
        observer: Clients,
        changes: Changes,
        certificates: Certificates,
        upkeep: Upkeep,
        sockets: Path | None = None,
    ) -> None:
        self._setup, self._clock, self._network, self._journal = setup, clock, network, journal
        self._inside, self._observer = inside, observer
        self._changes, self._certificates = changes, certificates
        self._upkeep = upkeep
        self._pods = frozenset(
            network.envoy_pod(pod.index)
            for number, cluster in enumerate(setup.clusters)
            for pod in cluster_objects.pods(cluster, number)
        )
        self.clusters: Mapping[str, Cluster] = {
            cluster.name: Cluster(
                cluster,
                number,
                seed=setup.seed,
                clock=clock,
                network=network,
                journal=journal,
                aws=customer,
                upkeep=upkeep,
                sockets=sockets,
            )
            for number, cluster in enumerate(setup.clusters)
        }

    def start_balancers(self, loop: LoopThread, folder: Path, ipv6_ports: NodePorts | None = None) -> None:
        """Serve the balancers' Envoys; when this returns, they may be started.

        Args:
            folder: where the balancers' Envoys write their access log.
            ipv6_ports: where the clients look for the ports of `::1`; None if nothing has IPv6 here.
        """
        from testbed.load_balancers.envoy_fleet import Fleet

        async def make() -> Fleet:
            return Fleet(
                elbv2=self._inside.elbv2,
                front=self._observer.elbv2,
                changes=self._changes,
                certificates=self._certificates,
                network=self._network,
                clock=self._clock,
                journal=self._journal,
                folder=folder,
                resolve=self._pods_behind,
                node_health=self._node_health,
                ipv6_ports=ipv6_ports,
            )

        self.fleet = loop.run(make())
        is_serving = threading.Event()
        self._upkeep.keep(loop, self.fleet.run(is_serving.set))
        if not is_serving.wait(PATIENCE.process_start):
            self._upkeep.check()
            raise Missing(f"discovery did not start within {PATIENCE.process_start:g} s")

    def start_dns(self, loop: LoopThread) -> None:
        """Answer for the hosted zones.

        Raises:
            Missing: the port is taken.
        """
        from testbed.dns import host_views
        from testbed.dns.dns_server import DnsServer
        from testbed.dns.route53_answers import Surroundings
        from testbed.dns.zone_refresh import HostedZones

        zones = self._zones = HostedZones(self._inside.route53, self._changes, self._clock)
        self._upkeep.thread("hosted-zones", zones.follow)
        chance = random.Random(self._setup.seed)  # noqa: S311 the dice of a rehearsal, not of a key
        surroundings = Surroundings(balancer_addresses=self.fleet.addresses_in_dns, chance=chance)
        server = self.name_server = DnsServer(
            self._network.dns,
            self._network.dns_port,
            zones,
            surroundings,
            journal=self._journal,
            clock=self._clock,
        )
        network = self._network
        views = (
            (network.dns_of_ipv4_hosts, host_views.of_ipv4_host),
            (network.dns_of_ipv6_hosts, host_views.of_ipv6_host),
        )
        self._upkeep.serve(loop, server.start(), server.stop)
        for address, view in views if self.fleet.has_ipv6 else ():
            seen = host_views.DnsView(address, server, network.dns_port, view)
            self._upkeep.serve(loop, seen.start(), seen.stop)

    def wait_for_names(self, host: str) -> None:
        """Wait until DNS has followed Route 53 and the balancers, at most `PATIENCE.long_poll`.

        On a machine under load both follow some milliseconds later, and the first clients would be told of a
        state that has ended.
        """
        from dns.rdatatype import RdataType

        from testbed.dns.domain_names import labels_of
        from testbed.dns.route53_answers import Question, answer

        question = Question(labels_of(host), RdataType.A)
        deadline = time.monotonic() + PATIENCE.long_poll
        while time.monotonic() < deadline:
            if (
                self._zones.is_current
                and answer(self._zones(), question, self.name_server.surroundings).answers
            ):
                return
            threading.Event().wait(PATIENCE.poll)

    def start_clusters(self, loop: LoopThread) -> None:
        """Start the controllers of each cluster, and begin to start its Kubernetes API.

        Raises:
            BadInput: ExternalDNS does not know a flag.
        """
        from testbed.lb_controller.core.build_inputs import Subnet

        account = ec2_cluster.prepare(
            self._inside.ec2,
            self._network,
            tuple(self.clusters),
            kinds=max(len(one.targets) for one in self._setup.clusters),
        )
        subnets = tuple(
            Subnet(
                id=subnet["SubnetId"],
                availability_zone=subnet["AvailabilityZone"],
                cidr=subnet["CidrBlock"],
                ipv6_cidrs=tuple(one["Ipv6CidrBlock"] for one in subnet["Ipv6CidrBlockAssociationSet"]),
                tags={tag["Key"]: tag["Value"] for tag in subnet["Tags"]},
            )
            for subnet in account
        )
        (vpc,) = self._inside.ec2.describe_vpcs(VpcIds=[account[0]["VpcId"]])["Vpcs"]
        controllers = ConfinedControllers(self._network, loop, self._upkeep, len(self.clusters))
        self.controllers = controllers
        for cluster in self.clusters.values():
            cluster.start_controllers(subnets, vpc["VpcId"], (vpc["CidrBlock"],), controllers)
        for cluster in self.clusters.values():
            cluster.start_api(loop)

    def wait_for_real_controllers(self) -> None:
        """Wait until each binary of the user has begun its work.

        Raises:
            Missing: one has ended, or does not begin.
        """
        for cluster in self.clusters.values():
            while not cluster.wait_for_real_controllers(PATIENCE.command_look):
                self._upkeep.check()

    def addresses(self, dns_name: str) -> Sequence[str]:
        """Return the addresses of a balancer in service, one a zone."""
        return self.fleet.addresses(dns_name)

    def balancers(self) -> Sequence[BalancerIdentity]:
        """Return all balancers that the run has had, in the order in which they appeared."""
        return self.fleet.identities

    def balancer_at(self, peer: str) -> str | None:
        """Return the DNS name of the balancer that targets see at an address; None if no balancer had it."""
        balancer = self.fleet.balancer_of(peer)
        return balancer.dns_name if balancer else None

    def flows(self, dns_name: str) -> int:
        """Return how many client connections are open at a balancer; 0 if the run has had none of this name.

        Raises:
            Missing: its Envoy does not answer.
        """
        balancer = self.fleet.balancer_named(dns_name)
        if balancer is None:
            return 0
        admin = balancer_envoys.admin_url(balancer.type, self._network)
        try:
            return balancer_envoys.active_connections(admin, f"{balancer.type}_{balancer.stat_name}")
        except OSError as error:
            raise Missing(f"the Envoy of the {balancer.type} does not answer: {error}") from None

    def finish(self, admins: Mapping[BalancerType, str], logs: Path, report: Path) -> None:
        """Bring the targets' access logs and the balancers' metrics into the journal, once traffic has ended.

        Args:
            admins: the URL of the admin interface of the Envoy of each balancer type.
            logs: where target and balancer Envoys write their access logs.
            report: where the access log of the ALBs goes.

        Raises:
            Missing: a log is torn, or the access log cannot be written.
        """
        from testbed.load_balancers.end_of_run_records import record

        # Envoy writes its log at intervals: after two of them all that was answered is there.
        self._upkeep.stop.wait(2 * LOG_FLUSH_MILLISECONDS / 1000)
        for number, cluster in enumerate(self._setup.clusters):
            for pod in cluster_objects.pods(cluster, number):
                log = target_envoys.access_log(logs, pod.name)
                self._journal.write(*target_envoys.access_events(log))
        record(self.fleet, admins, logs, report, self._clock, self._journal)

    def _pods_behind(self, instance: str, port: int) -> list[tuple[str, int]]:
        from testbed.kubernetes.node_ports import pods_behind

        if instance in self._pods:
            return [(instance, self._network.pod_port(port))]
        return [
            (pod.ip, self._network.pod_port(pod.port))
            for cluster in self.clusters.values()
            for pod in pods_behind(cluster.store, instance, port)
        ]

    def _node_health(self, instance: str, port: int) -> bool | None:
        from testbed.kubernetes.node_ports import health_check

        answers = (health_check(cluster.store, instance, port) for cluster in self.clusters.values())
        # An instance is a node of one cluster at most, and the others have no answer.
        return next((answer for answer in answers if answer is not None), None)
