"""What decides: the cluster's objects, both controllers, ExternalDNS, DNS, and discovery of the balancers.

```
loop       discovery and health checks of the balancers · DNS
threads    endpoints · Service and Ingress group controllers · ExternalDNS · hosted zones
```

It reaches AWS by the endpoint only, and the balancers' Envoys by what it serves them, so it does not know
whether they are its children or containers.
"""

from __future__ import annotations

import functools
import random
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.journal import Journal, Log
from testbed.network import Network
from testbed.runtime import cluster
from testbed.runtime.loop import LoopThread
from testbed.runtime.setup import Setup
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE, PRODUCTION

if TYPE_CHECKING:
    from testbed.aws.clients import Clients
    from testbed.external_dns.controller import Controller
    from testbed.load_balancers.fleet import Certificates, Changes

EXTERNAL_DNS = "external-dns"


class ControlPlane:
    """A running control plane.

    Args:
        customer: clients of the controllers, whose calls count.
        inside: clients of AWS's own parts, whose calls do not.
        changes, certificates: what the endpoint tells of itself.

    Attributes:
        store: the cluster's objects.
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
        changes: Changes,
        certificates: Certificates,
        upkeep: Upkeep,
    ) -> None:
        from testbed.kubernetes import ObjectStore

        self._setup, self._clock, self._network, self._journal = setup, clock, network, journal
        self._customer, self._inside = customer, inside
        self._changes, self._certificates = changes, certificates
        self._upkeep = upkeep
        self._messages: list[str] = []
        self._external_dns: Controller | None = None
        self.store = ObjectStore(clock, seed=setup.seed)
        for item in cluster.objects(network, setup):
            self.store.restore(item)

    def start_balancers(self, loop: LoopThread, folder: Path) -> None:
        """Serve the balancers' Envoys; when this returns, they may be started.

        Args:
            folder: where the balancers' Envoys write their access log.
        """
        from testbed.kubernetes.node_ports import health_check, pods_behind
        from testbed.load_balancers.fleet import Fleet

        def resolve(instance: str, port: int) -> list[tuple[str, int]]:
            return [(pod.ip, pod.port) for pod in pods_behind(self.store, instance, port)]

        async def make() -> Fleet:
            return Fleet(
                elbv2=self._inside.elbv2,
                changes=self._changes,
                certificates=self._certificates,
                network=self._network,
                clock=self._clock,
                journal=self._journal,
                folder=folder,
                resolve=resolve,
                node_health=functools.partial(health_check, self.store),
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
        from testbed.dns.answer import Surroundings
        from testbed.dns.hosted_zones import HostedZones
        from testbed.dns.server import DnsServer

        zones = HostedZones(self._inside.route53, self._changes, self._clock)
        self._upkeep.thread("hosted-zones", zones.follow)
        chance = random.Random(self._setup.seed)  # noqa: S311 the dice of a rehearsal, not of a key
        surroundings = Surroundings(balancer_addresses=self.fleet.addresses, chance=chance)
        server = DnsServer(
            self._network.dns,
            self._network.dns_port,
            zones,
            surroundings,
            journal=self._journal,
            clock=self._clock,
        )
        self._upkeep.serve(loop, server.start(), server.stop)

    def start_controllers(self) -> None:
        """Start the controllers of the cluster, and ExternalDNS.

        Raises:
            BadInput: ExternalDNS does not know a flag.
        """
        from testbed.kubernetes.endpoints import EndpointsController
        from testbed.kubernetes.namespaces import NamespaceController
        from testbed.lb_controller import admission
        from testbed.lb_controller.controller import (
            IngressGroupController,
            NlbServiceController,
            ServiceController,
        )
        from testbed.lb_controller.inputs import ControllerOptions, Subnet, Version

        found = self._inside.ec2.describe_subnets()["Subnets"]
        subnets = tuple(
            Subnet(id=one["SubnetId"], availability_zone=one["AvailabilityZone"])
            for one in found
            if one["AvailabilityZone"] in cluster.ZONES
        )
        options = ControllerOptions(version=Version(self._setup.lb_controller), vpc_id=found[0]["VpcId"])
        self.store.webhooks.append(admission.webhook(self.store, options))
        elbv2, acm = self._customer.elbv2, self._customer.acm

        def say(level: str, message: str) -> None:
            self._log("lb-controller", level, message, message)

        run = self._clock, say
        thread = self._upkeep.thread
        thread("endpoints", EndpointsController(self.store).run)
        thread("namespaces", NamespaceController(self.store).run)
        thread("services", ServiceController(self.store, elbv2, subnets, options, *run).run)
        thread("nlbs", NlbServiceController(self.store, elbv2, acm, subnets, options, *run).run)
        thread("ingress-groups", IngressGroupController(self.store, elbv2, acm, subnets, options, *run).run)
        self._start_external_dns()

    def _start_external_dns(self) -> None:
        from testbed.external_dns import flags
        from testbed.external_dns.controller import Controller
        from testbed.external_dns.log import LogLine
        from testbed.external_dns.metrics_server import serving
        from testbed.external_dns.profile import profile

        def note(line: LogLine) -> None:
            self._messages.append(line.message)
            self._log(
                EXTERNAL_DNS,
                line.level,
                line.message,
                line.written(self._clock.rfc3339(), arguments.log_format),
            )

        setup = self._setup
        if not setup.external_dns_flags:
            return  # a scenario without ExternalDNS
        version = profile(setup.external_dns_version)
        arguments = flags.parse(setup.external_dns_flags, version)
        route53 = self._customer.route53_with(arguments.api_retries)
        running = self._external_dns = Controller(
            self.store, route53, arguments, version, self._clock, note, setup.seed
        )

        def run(stop: threading.Event) -> None:
            if self._clock.wait(stop, PRODUCTION.external_dns_pod_start):
                return
            with serving(running.metrics, version, self._network.control, arguments.metrics_port):
                running.run(stop)

        self._upkeep.thread(EXTERNAL_DNS, run)

    def addresses(self, dns_name: str) -> Sequence[str]:
        """The addresses of a balancer that is in service, one a zone."""
        return self.fleet.addresses(dns_name)

    def balancer_type(self, peer: str) -> str | None:
        """Which type of balancer targets see at an address; None if it is nobody's now."""
        balancer = self.fleet.balancer_of(peer)
        return balancer.type if balancer else None

    def external_dns_log(self) -> Sequence[str]:
        """The messages that ExternalDNS logged so far, oldest first."""
        return tuple(self._messages)

    def external_dns_syncs(self) -> tuple[int, int]:
        """How many syncs ExternalDNS has begun and finished; without one, none."""
        if self._external_dns is None:
            return 0, 0
        return self._external_dns.syncs_started, self._external_dns.syncs_finished

    def _log(self, component: str, level: str, message: str, line: str) -> None:
        moment = self._clock.wall()
        self._journal.write(Log(time=moment, component=component, level=level, message=message, line=line))
