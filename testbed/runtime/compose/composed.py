"""A composed topology as a scenario sees it, from a container of its own or from the host.

The control plane is asked over HTTP; what it writes into its journal is brought into the run's, line by line,
so that report and terminal see one history. The traffic is a process of this side.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

from testbed import journal
from testbed.clock import Clock
from testbed.errors import BadInput, Missing
from testbed.network import Network
from testbed.runtime import clients
from testbed.runtime.compose.http import Service
from testbed.runtime.compose.network import ContainerNetwork
from testbed.runtime.compose.relay import Relay
from testbed.runtime.counts import Counts
from testbed.runtime.setup import Setup
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from testbed.aws.clients import Clients
    from testbed.kubernetes.objects import Object
    from testbed.traffic.probe import ProbeResult

BalancerType = Literal["nlb", "alb"]
_CONTROL = "TESTBED_CONTROL"
_AWS = "TESTBED_AWS"
_PUBLISHED = {_CONTROL: "http://127.0.0.1:7070", _AWS: "http://127.0.0.1:4566"}
"""Where docker-compose.yml publishes both on the host."""
_MANY = frozenset({journal.Access.kind, journal.DnsAnswer.kind})
"""Events that are too many to be shown one by one."""


class RemoteStore:
    """The cluster's objects, kept by the service `control`."""

    def __init__(self, control: Service) -> None:
        self._control = control

    def list_all(self) -> Iterable[Object]:
        """Every object of every kind."""
        found: list[Object] = self._control.get("/objects")
        return found

    def apply(self, item: Mapping[str, Any]) -> Object:
        """As `kubectl apply`."""
        applied: Object = self._control.send("PUT", "/objects", item)
        return applied

    def annotate(
        self, kind: str, namespace: str | None, name: str, annotations: Mapping[str, str | None]
    ) -> None:
        """As `kubectl annotate`; None removes an annotation."""
        asked = {"kind": kind, "namespace": namespace, "name": name, "annotations": annotations}
        self._control.send("PATCH", "/annotations", asked)

    def delete(self, kind: str, namespace: str | None, name: str) -> None:
        """As `kubectl delete`."""
        self._control.send("DELETE", "/objects", {"kind": kind, "namespace": namespace, "name": name})


class Composed:
    """A running topology: what `testbed.rehearsal.topology.Topology` asks for.

    Attributes:
        store: the cluster's objects.
        clients: of the AWS endpoint.
        bundle: the authorities that clients trust.
    """

    clients: Clients
    bundle: Path
    network: Network
    kubernetes: None = None
    """Its cluster has no API on this machine."""

    def __init__(self, setup: Setup, clock: Clock, written: journal.Journal) -> None:
        self.setup, self.clock, self.journal = setup, clock, written
        self._upkeep = Upkeep()
        self._control = Service("control", os.environ.get(_CONTROL) or _PUBLISHED[_CONTROL])
        self._containers = ContainerNetwork(self._control.get("/network")["second"])
        self.network = self._containers
        self.store = RemoteStore(self._control)
        self._log: list[str] = []
        self._asking = threading.Lock()
        self._read = 0
        self._end: int | None = None
        self._caught_up = threading.Event()

    def close(self) -> None:
        """Stop what was started on this side; the containers stay as they are."""
        self._upkeep.close()

    def start(self) -> None:
        """Begin a run in the containers, and start the traffic's process here.

        Raises:
            Missing: a service or LocalStack does not answer.
            BadInput: Envoy rejects its configuration, or ExternalDNS a flag.
        """
        from testbed.aws.calls import OBSERVER
        from testbed.aws.clients import Clients
        from testbed.runtime.compose import messages

        folder = self._upkeep.folder()
        begun = self._control.send("POST", "/runs", messages.run(self.setup, self.clock), _seconds_to_begin())
        self.bundle = folder / "ca.pem"
        self.bundle.write_text(begun["bundle"])
        self._upkeep.thread("journal", self._follow)
        url = os.environ.get(_AWS) or _PUBLISHED[_AWS]
        if url.startswith("unix:"):
            relay = Relay(Path(url.removeprefix("unix:")))
            self._upkeep.serve(self._upkeep.loop(), relay.start(), relay.stop)
            url = relay.url
        self.clients = Clients(url, access_key=OBSERVER)
        self._traffic = clients.Clients(
            self.setup,
            self.clock,
            self.network,
            self.journal,
            bundle=self.bundle,
            balancer_type=lambda peer: self._control.get("/peers", address=peer),
            upkeep=self._upkeep,
        )
        self._traffic.start(folder)
        self._traffic.wait_until_ready()

    def start_traffic(self, rate: float) -> None:
        """Start the open-loop clients, `rate` requests per wall second."""
        self._traffic.start_traffic(rate)

    def stop_traffic(self) -> None:
        """Stop sending and wait for what is in flight; it cannot be started again."""
        self._traffic.stop_traffic()

    def counts(self) -> Counts:
        """What the clients saw so far, by outcome and by the balancer that served."""
        return self._traffic.counts()

    def flows(self, balancer: BalancerType) -> int:
        """Client connections that are open at the balancers of a type (CloudWatch: ActiveFlowCount)."""
        return int(self._control.get("/flows", balancer=balancer))

    def addresses(self, dns_name: str) -> Sequence[str]:
        """The addresses of a balancer that is in service, one a zone."""
        return tuple(self._control.get("/addresses", name=dns_name))

    def external_dns_log(self) -> Sequence[str]:
        """The messages that ExternalDNS logged so far, oldest first."""
        self._state()
        return tuple(self._log)

    def external_dns_syncs(self) -> tuple[int, int]:
        """How many syncs ExternalDNS has begun and finished."""
        started, finished = self._state()["syncs"]
        return started, finished

    def probe(self, dns_name: str) -> Sequence[ProbeResult]:
        """One gRPC and one REST request of the host, at a balancer called by its own name."""
        return self._traffic.probe(dns_name)

    def tools(self) -> Mapping[str, str]:
        """Containers are not reached by commands of a runbook.

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

    def check(self) -> None:
        """Raise the failure of a part of the topology, on either side."""
        self._upkeep.check()
        self._state()

    def finish(self) -> None:
        """End the traffic; bring the targets' access logs into the journal, and the ALBs' into its folder."""
        from testbed.load_balancers.records import ACCESS_LOG

        self._traffic.stop_traffic()
        self._end = self._control.send("POST", "/finish", seconds=PATIENCE.process_start)["length"]
        if not self._caught_up.wait(PATIENCE.process_start):
            self.check()
            raise Missing("the journal of the service `control` did not come whole")
        if log := self._control.raw("/alb-access.log"):
            (self.journal.path.parent / ACCESS_LOG).write_bytes(log)

    def _state(self) -> Any:
        with self._asking:
            state = self._control.get("/state", log=len(self._log))
            self._log += state["log"]
        return state

    def _follow(self, stop: threading.Event) -> None:
        """Append what `control` writes into its journal to the run's."""
        while not stop.is_set() and not self._caught_up.is_set():
            lines = self._control.raw("/journal", **{"from": self._read})
            self._read += len(lines)
            self.journal.append(lines)
            if self.journal.listener:
                self._tell(lines, self.journal.listener)
            if self._end is not None and self._read >= self._end:
                self._caught_up.set()

    def _tell(self, lines: bytes, listener: Any) -> None:
        for line in lines.splitlines():
            fields = orjson.loads(line)
            kind = fields.pop("event")
            if kind not in _MANY:
                listener(journal.EVENTS[kind](**fields))


def _seconds_to_begin() -> float:
    return PATIENCE.localstack_start + PATIENCE.process_start + PATIENCE.api_call
