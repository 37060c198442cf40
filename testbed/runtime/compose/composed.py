"""A topology in containers, as a rehearsal sees it from a container of its own or from the host.

The control plane answers over HTTP. Whatever it writes into its journal is copied into the run's, line by
line, so that report and terminal see one history. The traffic is a process of this side.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from testbed import journal
from testbed.balancer_identity import BalancerIdentity
from testbed.clock import Clock
from testbed.errors import BadInput, Missing, TestbedError
from testbed.faults import InjectedFault, Reach
from testbed.faults.struck_part import StruckPart
from testbed.rehearsal.setup import Setup
from testbed.rehearsal.topology import Cluster, Topology
from testbed.runtime.components.traffic_generator import TrafficGenerator
from testbed.runtime.compose.container_network import ContainerNetwork
from testbed.runtime.compose.service_client import Service
from testbed.runtime.compose.socket_relay import Relay
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE
from testbed.traffic.counts import Counts

if TYPE_CHECKING:
    from testbed.external_dns.core.log_lines import LogLine
    from testbed.kubernetes.client import KubernetesClient
    from testbed.runtime.components.real_external_dns import RealExternalDns
    from testbed.traffic.balancer_probe import ProbeResult

_EXTERNAL_DNS = "external-dns"
_CONTROL = "TESTBED_CONTROL"
_AWS = "TESTBED_AWS"
_KUBERNETES = "TESTBED_KUBERNETES"
"""`unix:/folder` of sockets, where no network leads to the API's address, as in the container `rehearse`."""
_PUBLISHED = {_CONTROL: "http://127.0.0.1:7070", _AWS: "http://127.0.0.1:4566"}
"""The addresses on the host at which docker-compose.yml publishes both."""
_MANY = frozenset({journal.Access.kind, journal.DnsAnswer.kind})
"""Events that are too many to show one by one."""


class RemoteCluster(Cluster):
    """The cluster that the service `control` keeps."""

    objects: KubernetesClient
    kubernetes: None = None
    """Tools of this machine are not led to its API."""

    def __init__(self, name: str, control: Service) -> None:
        self.name, self._control = name, control
        self._log: list[str] = []
        self._error = 0, ""
        self._asking = threading.Lock()
        self._real: RealExternalDns | None = None

    def connect(self) -> None:
        """Reach the API of a run that has begun.

        Raises:
            Missing: `control` does not answer.
        """
        from testbed.kubernetes.client import KubernetesClient
        from testbed.kubernetes.client_transports import Https

        place = os.environ.get(_KUBERNETES, "")
        socket = Path(place.removeprefix("unix:")) / self.name if place.startswith("unix:") else None
        self.objects = KubernetesClient(Https(self._control.get("/kubeconfig", cluster=self.name), socket))

    def play_external_dns(self, real: RealExternalDns) -> None:
        """Let this one be the ExternalDNS of the cluster; `control` has none then."""
        self._real = real

    def hear_external_dns(self, line: LogLine) -> None:
        """Take a line that it wrote."""
        self._log.append(line.message)
        if line.is_error:
            self._error = self._error[0] + 1, line.message

    def external_dns_log(self) -> Sequence[str]:
        """Return the messages that ExternalDNS logged so far, oldest first."""
        if self._real:
            self._real.read()
        else:
            self._state()
        return tuple(self._log)

    def external_dns_error(self) -> tuple[int, str]:
        """Return how many errors ExternalDNS logged so far, and the message of the last one."""
        if self._real:
            self._real.read()
            return self._error
        count, message = self._state()["error"]
        return count, message

    def external_dns_syncs(self) -> tuple[int, int]:
        """Return how many syncs ExternalDNS has begun and finished."""
        if self._real:
            self._real.read()
            return self._real.syncs_started, self._real.syncs_finished
        started, finished = self._state()["syncs"]
        return started, finished

    def replace_external_dns(self, release: str, flags: Sequence[str]) -> None:
        """End ExternalDNS, and start a pod of another release.

        Raises:
            BadInput: that release does not know a flag; then the old one goes on.
        """
        order = {"cluster": self.name, "release": release, "flags": list(flags)}
        self._control.send("POST", "/external-dns", order, PATIENCE.process_stop + PATIENCE.api_call)

    def _state(self) -> Any:
        with self._asking:  # two threads that add the same lines would have them twice
            state = self._control.get("/state", cluster=self.name, log=len(self._log))
            self._log += state["log"]
        return state


class Composed(Topology):
    """A topology in containers.

    Raises:
        Missing: the service `control` does not answer.
    """

    clusters: Mapping[str, RemoteCluster]

    reaches = frozenset({Reach.PARTS, Reach.CUT_OFF})

    def __init__(self, setup: Setup, clock: Clock, written: journal.Journal) -> None:
        self.setup, self.clock, self.journal = setup, clock, written
        self._upkeep = Upkeep()
        self._control = Service("control", os.environ.get(_CONTROL) or _PUBLISHED[_CONTROL], written.run)
        self._containers = ContainerNetwork(self._control.get("/network")["second"])
        self.network = self._containers
        self.clusters = {
            cluster.name: RemoteCluster(cluster.name, self._control) for cluster in setup.clusters
        }
        self._read = 0
        self._end: int | None = None
        self._caught_up = threading.Event()
        self._real_controllers: list[journal.RealController] = []

    @property
    def real_controllers(self) -> Sequence[journal.RealController]:
        """The image of the user that runs as ExternalDNS."""
        return self._real_controllers

    def close(self) -> None:
        """Stop what was started on this side; the containers stay as they are, free for another run."""
        self._upkeep.close()
        with suppress(TestbedError):
            self._control.send("POST", "/release")

    def start(self) -> None:
        """Begin a run in the containers, and start the traffic's process here.

        Raises:
            Missing: a service or LocalStack does not answer, or another rehearsal plays in the containers.
            BadInput: Envoy rejects its configuration, or ExternalDNS a flag; or there are several clusters.
        """
        from testbed.aws.api_calls import OBSERVER
        from testbed.aws.boto3_clients import Clients
        from testbed.runtime.compose import run_messages

        if len(self.setup.clusters) > 1:
            # docker-compose.yml has the target pods of one cluster, each with an address of its own.
            raise BadInput("containers have one cluster only", do="leave out --on compose")
        folder = self._upkeep.folder()
        begun = self._control.send(
            "POST",
            "/runs",
            run_messages.run(_of_control(self.setup), self.clock) | {"run": self.journal.run},
            _seconds_to_begin(),
        )
        self.bundle = folder / "ca.pem"
        self.bundle.write_text(begun["bundle"])
        for cluster in self.clusters.values():
            cluster.connect()
        self._upkeep.thread("journal", self._follow)
        real = self._start_external_dns(begun["proxy"]) if self.setup.cluster.external_dns_binary else None
        url = os.environ.get(_AWS) or _PUBLISHED[_AWS]
        if url.startswith("unix:"):
            relay = Relay(Path(url.removeprefix("unix:")))
            self._upkeep.serve(self._upkeep.loop(), relay.start(), relay.stop)
            url = relay.url
        self.clients = Clients(url, access_key=OBSERVER)
        self._traffic = TrafficGenerator(
            self.setup,
            self.clock,
            self.network,
            self.journal,
            bundle=self.bundle,
            balancers=self.balancers,
            balancer_at=lambda peer: self._control.get("/peers", address=peer),
            upkeep=self._upkeep,
        )
        self._traffic.start(folder)
        self._traffic.wait_until_ready()
        while real and not real.has_begun.wait(PATIENCE.command_look):
            self.check()

    def _start_external_dns(self, authority: str) -> RealExternalDns:
        """Start the image of the user.

        Args:
            authority: that of the proxy at `control`, PEM.
        """
        from testbed.runtime.components import real_external_dns
        from testbed.runtime.compose.external_dns_container import AUTHORITY, HOME, ContainerPlace

        (cluster,) = self.clusters.values()
        home = self._upkeep.folder()
        (home / AUTHORITY).write_text(authority)
        place = ContainerPlace(self._containers)
        self._upkeep.at_end(place.close)

        def log(line: LogLine, text: str) -> None:
            cluster.hear_external_dns(line)
            self.journal.write(
                journal.Log(
                    time=self.clock.wall(),
                    component=_EXTERNAL_DNS,
                    level=line.level,
                    message=line.message,
                    line=text,
                )
            )

        real, event = real_external_dns.made(
            self.setup.cluster,
            component=_EXTERNAL_DNS,
            address=self._containers.external_dns,
            home=home,
            seen_home=HOME,
            place=place,
            is_closed=True,
            kubeconfig=lambda: self._control.get("/kubeconfig", cluster=cluster.name),
            clock=self.clock,
            log=log,
        )
        cluster.play_external_dns(real)
        self._real_controllers.append(event)
        self._upkeep.thread(real.name, real.run, 3 * PATIENCE.process_stop)
        return real

    def begin_story(self) -> None:
        """Let a load balancer that is made from now on be provisioned for as long as the setup says."""
        self._control.send("POST", "/story")

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
        """Return what the clients saw so far, by outcome and by the balancer that served."""
        return self._traffic.counts()

    def balancers(self) -> Sequence[BalancerIdentity]:
        """Return all balancers that the run has had, in the order in which they appeared."""
        return tuple(BalancerIdentity(**fields) for fields in self._control.get("/balancers"))

    def flows(self, dns_name: str) -> int:
        """Return how many client connections are open at a balancer."""
        return int(self._control.get("/flows", balancer=dns_name))

    def addresses(self, dns_name: str) -> Sequence[str]:
        """Return the addresses of a balancer in service, one a zone."""
        return tuple(self._control.get("/addresses", name=dns_name))

    def probe(self, dns_name: str) -> Sequence[ProbeResult]:
        """Send one gRPC and one REST request of the host to a balancer called by its own name."""
        return self._traffic.probe(dns_name)

    def tools(self) -> Mapping[str, str]:
        """Refuse: commands of a runbook do not reach containers.

        Raises:
            BadInput: always.
        """
        raise BadInput("commands of a runbook run on this machine only", do="leave out --on compose")

    @contextmanager
    def fault(self, kind: str, part: str) -> Iterator[None]:
        """Strike a container while the block lasts.

        Raises:
            BadInput: no such fault or part.
            Missing: Docker cannot be reached from here.
        """
        from testbed.runtime.compose.faults import Containers

        with Containers(self._containers) as containers, containers.fault(kind, part):
            yield

    @contextmanager
    def strike(self, fault: InjectedFault) -> Iterator[None]:
        """Play a fault that is within `reaches` while the block lasts.

        Raises:
            Missing: Docker cannot be reached from here.
        """
        assert isinstance(fault, StruckPart)  # all that is within reach
        with self.fault(fault.word, fault.part):
            yield

    def check(self) -> None:
        """Raise the failure of a part, on either side."""
        self._upkeep.check()
        self._control.get("/state")

    def finish(self) -> None:
        """End the traffic, and bring what targets and balancers recorded into the journal."""
        from testbed.load_balancers.end_of_run_records import ACCESS_LOG

        self._traffic.stop_traffic()
        self._end = self._control.send("POST", "/finish", seconds=PATIENCE.process_start)["length"]
        if not self._caught_up.wait(PATIENCE.process_start):
            self.check()
            raise Missing("the journal of the service `control` did not arrive completely")
        if log := self._control.raw("/alb-access.log"):
            (self.journal.path.parent / ACCESS_LOG).write_bytes(log)

    def _follow(self, stop: threading.Event) -> None:
        """Append to the run's journal what `control` writes into its own."""
        while not stop.is_set() and not self._caught_up.is_set():
            lines = self._control.raw("/journal", **{"from": self._read})
            self._read += len(lines)
            self.journal.append(lines)
            if self.journal.listener:
                _pass_on(lines, self.journal.listener)
            if self._end is not None and self._read >= self._end:
                self._caught_up.set()


def _of_control(setup: Setup) -> Setup:
    """Return what `control` is to start: the place of an image is open there."""
    clusters = (
        replace(one, external_dns_is_open=True, external_dns_binary="") if one.external_dns_binary else one
        for one in setup.clusters
    )
    return replace(setup, clusters=tuple(clusters))


def _pass_on(lines: bytes, listener: Callable[[journal.Event], None]) -> None:
    """Call the listener with the events of journal lines, without those that are too many."""
    for line in lines.splitlines():
        fields = orjson.loads(line)
        kind = fields.pop("event")
        if kind not in _MANY:
            listener(journal.EVENTS[kind](**fields))


def _seconds_to_begin() -> float:
    return PATIENCE.localstack_start + PATIENCE.process_start + PATIENCE.api_call
