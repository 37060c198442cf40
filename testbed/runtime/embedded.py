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

import asyncio
import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.journal import Journal, Log
from testbed.network import AWS_PORT, MOTO_PORT, Network
from testbed.runtime import cluster, envoy
from testbed.runtime.counts import Counts
from testbed.runtime.loop import LoopThread
from testbed.runtime.process import Command, Process
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from testbed.aws.clients import Clients
    from testbed.kubernetes import ObjectStore
    from testbed.load_balancers.elbv2_state import LoadBalancer
    from testbed.traffic.probe import ProbeResult

BalancerType = Literal["nlb", "alb"]
HTTPS = 443
EXTERNAL_DNS = "external-dns"


@dataclass(frozen=True, slots=True)
class Setup:
    """What a topology is set up for.

    Attributes:
        host: the name that the clients call.
        zone: the hosted zone.
        external_dns_version, external_dns_flags: which ExternalDNS, with which `args:`.
        connection_age: maximum age of a connection at the targets' TLS listener, production seconds.
        seed: of everything random.
    """

    host: str
    zone: str
    external_dns_version: str
    external_dns_flags: Sequence[str]
    connection_age: float | None
    seed: int


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
        self._stack = ExitStack()
        self._processes: list[Process] = []
        self._expected_ends: set[str] = set()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._messages: list[str] = []
        self._counting = threading.Lock()
        self._served_at: dict[str, LoadBalancer] = {}

    def close(self) -> None:
        """Stop everything that was started; may be called at any time."""
        self._stack.close()

    # --- start -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything; `close` must follow, even if this fails.

        Raises:
            Missing: a port is taken, or a process cannot be started.
            BadInput: Envoy rejects its configuration, or ExternalDNS a flag.
        """
        from testbed.aws import moto_process

        # Keys, filled-in configurations and process output: nothing of it belongs into a report.
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="testbed-")))
        moto = self._spawn(moto_process.command(self.network.control, MOTO_PORT))
        targets = self._start_targets()
        self._start_generator()
        loop = self._stack.enter_context(LoopThread())
        self._start_endpoint(loop, moto)
        self._start_balancers(loop)
        self._start_dns(loop)
        for configured, process in (*targets, *self._balancer_processes):
            configured.wait_until_ready(process)
        self._start_controllers()
        self._await_generator()

    def _start_targets(self) -> list[tuple[envoy.Envoy, Process]]:
        from testbed.aws.certificates import CertificateStore

        addresses = [self.network.backend_pod(index) for index in range(cluster.PODS)]
        for index, address in enumerate(addresses):
            arguments = [sys.executable, "-m", "testbed.backend", "--name", f"backend-{index}"]
            self._spawn(Command(f"backend-{index}", [*arguments, "--address", address]))
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
            )
            configured = envoy.target(pod, self.clock, self._folder)
            started.append((configured, self._spawn(configured.command)))
        return started

    def _start_generator(self) -> None:
        from testbed.traffic import process
        from testbed.traffic.plan import TrafficPlan
        from testbed.traffic.progress import Progress

        plan = TrafficPlan(
            run=f"{self.network.second:02x}{int(self.clock.epoch) & 0xFFFFFF:06x}",
            clock=self.clock,
            journal=self.journal.path.resolve(),
            host=self.setup.host,
            port=self.network.port(HTTPS),
            dns=f"{self.network.dns}:{self.network.dns_port}",
            ca_file=self.certificates.bundle,
            seed=self.setup.seed,
            paused=True,
        )
        self._generator = self._spawn(process.command(plan))
        self._progress = Progress(self.journal.path)

    def _await_generator(self) -> None:
        from testbed.traffic import process

        self._generator.wait_until(lambda: process.is_ready(self._generator))

    def _start_endpoint(self, loop: LoopThread, moto: Process) -> None:
        from testbed.aws import moto_process
        from testbed.aws.calls import OBSERVER
        from testbed.aws.changes import ChangeFeed
        from testbed.aws.clients import Clients
        from testbed.aws.endpoint import AwsEndpoint
        from testbed.kubernetes import ObjectStore

        backend = f"http://{self.network.control}:{MOTO_PORT}"
        self._changes = ChangeFeed()
        self._endpoint = AwsEndpoint(
            self.network.control,
            AWS_PORT,
            backend,
            changes=self._changes,
            certificates=self.certificates,
            run_journal=self.journal,
            clock=self.clock,
        )
        self._serve(loop, self._endpoint.start(), self._endpoint.stop)
        self.store = ObjectStore(self.clock, seed=self.setup.seed)
        for item in cluster.objects(self.network):
            self.store.restore(item)
        self._customer = Clients(self.network.aws_endpoint)
        # Who only watches a run must not use up the API rate that its controllers have.
        self.clients = Clients(self.network.aws_endpoint, access_key=OBSERVER)
        # AWS's own balancers and name servers look behind the endpoint: no customer's API limit is spent.
        self._inside = Clients(backend)
        moto.wait_until(lambda: moto_process.is_ready(moto))
        self.clients.route53.create_hosted_zone(Name=self.setup.zone, CallerReference="testbed")

    def _start_balancers(self, loop: LoopThread) -> None:
        from testbed.kubernetes.node_ports import pods_behind
        from testbed.load_balancers.fleet import Fleet

        def resolve(instance: str, port: int) -> list[tuple[str, int]]:
            return [(pod.ip, pod.port) for pod in pods_behind(self.store, instance, port)]

        async def make() -> Fleet:
            return Fleet(
                elbv2=self._inside.elbv2,
                changes=self._changes,
                certificates=self.certificates,
                network=self.network,
                clock=self.clock,
                journal=self.journal,
                folder=self._folder,
                resolve=resolve,
            )

        self.fleet = loop.run(make())
        self._endpoint.target_health = self.fleet.health.describe
        is_serving = threading.Event()
        self._keep(loop, self.fleet.run(is_serving.set))
        is_serving.wait(PATIENCE.process_start)
        self._balancers = {
            kind: envoy.balancers(kind, self.network, self.clock, self._folder) for kind in ("nlb", "alb")
        }
        self._balancer_processes = [(one, self._spawn(one.command)) for one in self._balancers.values()]

    def _start_dns(self, loop: LoopThread) -> None:
        from testbed.dns.answer import Surroundings
        from testbed.dns.hosted_zones import HostedZones
        from testbed.dns.server import DnsServer

        zones = HostedZones(self._inside.route53, self._changes, self.clock)
        self._thread("hosted-zones", zones.follow)
        chance = random.Random(self.setup.seed)  # noqa: S311 the dice of a rehearsal, not of a key
        surroundings = Surroundings(balancer_addresses=self.fleet.addresses, chance=chance)
        server = DnsServer(
            self.network.dns,
            self.network.dns_port,
            zones,
            surroundings,
            journal=self.journal,
            clock=self.clock,
        )
        self._serve(loop, server.start(), server.stop)

    def _start_controllers(self) -> None:
        from testbed.kubernetes.endpoints import EndpointsController
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
        options = ControllerOptions(version=Version.V2_1, vpc_id=found[0]["VpcId"])
        elbv2, acm = self._customer.elbv2, self._customer.acm

        def say(level: str, message: str) -> None:
            self._log("lb-controller", level, message, message)

        run = self.clock, say
        self._thread("endpoints", EndpointsController(self.store).run)
        self._thread("services", ServiceController(self.store, elbv2, subnets, options, *run).run)
        self._thread("nlbs", NlbServiceController(self.store, elbv2, acm, subnets, options, *run).run)
        self._thread(
            "ingress-groups", IngressGroupController(self.store, elbv2, acm, subnets, options, *run).run
        )
        self._start_external_dns()

    def _start_external_dns(self) -> None:
        from testbed.external_dns import flags
        from testbed.external_dns.controller import Controller
        from testbed.external_dns.log import LogLine
        from testbed.external_dns.profile import profile

        def note(line: LogLine) -> None:
            self._messages.append(line.message)
            self._log(EXTERNAL_DNS, line.level, line.message, line.text(self.clock.rfc3339()))

        version = profile(self.setup.external_dns_version)
        arguments = flags.parse(self.setup.external_dns_flags, version)
        self._external_dns = Controller(
            self.store, self._customer.route53, arguments, version, self.clock, note, self.setup.seed
        )
        self._thread(EXTERNAL_DNS, self._external_dns.run)

    # --- what a scenario needs -----------------------------------------------------------------------

    def start_traffic(self, rate: float) -> None:
        """Start the open-loop clients, `rate` requests per wall second."""
        self._generator.tell(f"rate {rate:g}")
        self._generator.tell("resume")

    def stop_traffic(self) -> None:
        """Stop sending and wait for what is in flight; it cannot be started again."""
        self._expected_ends.add(self._generator.name)
        self._generator.tell("stop")
        if self._generator.wait(PATIENCE.request + PATIENCE.process_stop) is None:
            raise Missing(f"the traffic generator does not stop: {self._generator.last_words()}")

    def counts(self) -> Counts:
        """What the clients saw so far, by outcome and by the balancer that served."""
        with self._counting:
            self._progress.update()
            served: Counter[str] = Counter()
            for peer, count in self._progress.peers.items():
                if not peer:  # unanswered
                    continue
                balancer = self.fleet.balancer_of(peer) or self._served_at.get(peer)
                if balancer:
                    self._served_at[peer] = balancer
                    served[balancer.type] += count
            outcomes = self._progress.outcomes
            return Counts(outcomes["ok"], outcomes["failed"], outcomes["unknown"], served)

    def flows(self, balancer: BalancerType) -> int:
        """Client connections that are open at the balancers of a type (CloudWatch: ActiveFlowCount)."""
        return envoy.active_connections(self._balancers[balancer])

    def addresses(self, dns_name: str) -> Sequence[str]:
        """The addresses of a balancer that is in service, one a zone."""
        return self.fleet.addresses(dns_name)

    def external_dns_log(self) -> Sequence[str]:
        """The messages that ExternalDNS logged so far, oldest first."""
        return tuple(self._messages)

    def external_dns_syncs(self) -> tuple[int, int]:
        """How many syncs ExternalDNS has begun and finished."""
        return self._external_dns.syncs_started, self._external_dns.syncs_finished

    def probe(self, dns_name: str) -> Sequence[ProbeResult]:
        """One gRPC and one REST request of the host, at a balancer called by its own name."""
        from testbed.traffic.probe import probe

        return probe(
            dns_name,
            self.network.port(HTTPS),
            server_name=self.setup.host,
            ca_file=self.certificates.bundle,
            dns=(self.network.dns, self.network.dns_port),
        )

    def check(self) -> None:
        """Raise the failure of a part of the topology, or `Missing` if one of its processes has ended."""
        if self._failure:
            raise self._failure
        for process in self._processes:
            if process.returncode is not None and process.name not in self._expected_ends:
                raise Missing(
                    f"{process.name} ended with status {process.returncode}: {process.last_words()}"
                )

    def finish(self) -> None:
        """End the traffic and bring the targets' access logs into the journal."""
        if self._generator.returncode is None:
            self.stop_traffic()
        # Envoy writes its log at intervals: after two of them all that was answered is there.
        self._stop.wait(2 * envoy.LOG_FLUSH_MILLISECONDS / 1000)
        for index in range(cluster.PODS):
            self.journal.write(*envoy.access_events(envoy.access_log(self._folder, cluster.pod_name(index))))

    # --- plumbing ------------------------------------------------------------------------------------

    def _spawn(self, command: Command) -> Process:
        process = self._stack.enter_context(Process(command, self._folder))
        self._processes.append(process)
        return process

    def _serve(
        self,
        loop: LoopThread,
        start: Coroutine[Any, Any, None],
        stop: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        loop.run(start)
        self._stack.callback(lambda: loop.run(stop()))

    def _keep(self, loop: LoopThread, work: Coroutine[Any, Any, None]) -> None:
        """Let a coroutine run in the loop until the topology ends; its failure is the topology's."""
        future = asyncio.run_coroutine_threadsafe(work, loop.loop)
        future.add_done_callback(lambda done: None if done.cancelled() else self._fail(done.exception()))
        self._stack.callback(future.cancel)

    def _thread(self, name: str, run: Callable[[threading.Event], None]) -> None:
        def work() -> None:
            try:
                run(self._stop)
            except BaseException as error:  # noqa: BLE001 told to the scenario, which ends with it
                if not self._stop.is_set():
                    self._fail(error)

        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._stack.callback(thread.join, PATIENCE.process_stop)
        self._stack.callback(self._stop.set)

    def _fail(self, error: BaseException | None) -> None:
        self._failure = self._failure or error

    def _log(self, component: str, level: str, message: str, line: str) -> None:
        moment = self.clock.wall()
        self.journal.write(Log(time=moment, component=component, level=level, message=message, line=line))
