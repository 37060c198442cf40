"""A topology that stands still: a real clock and journal, AWS by moto; a test sets its counts and logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3

from testbed.balancer_identity import BalancerIdentity
from testbed.client_models import Population
from testbed.clock import Clock
from testbed.faults import InjectedFault, Reach
from testbed.journal import Event, Journal, read
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.client import KubernetesClient
from testbed.kubernetes.client_transports import InProcess
from testbed.network import Network
from testbed.options import Options
from testbed.rehearsal.cutover import Cutover
from testbed.rehearsal.scenario import Manifests, Scenario
from testbed.rehearsal.setup import Setup
from testbed.settings import REGION
from testbed.traffic.counts import Counts


class AwsClients:
    """The clients of the AWS APIs, each made on first use: a test needs one or none."""

    @cached_property
    def elbv2(self) -> Any:
        return boto3.client("elbv2", region_name=REGION)

    @cached_property
    def route53(self) -> Any:
        return boto3.client("route53", region_name=REGION)

    @cached_property
    def acm(self) -> Any:
        return boto3.client("acm", region_name=REGION)


class StillTopology:
    """The part of a topology that a cutover needs; the clients work where moto is active."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock(speed=1_000.0)
        self.journal = Journal(folder / "journal.ndjson")
        self.network = Network(81)
        self.clients = AwsClients()
        self.log: list[str] = []
        self.syncs = (0, 0)
        self.error = (0, "")
        self.store = ObjectStore(self.clock)
        self.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
        self.cluster = SimpleNamespace(
            kubernetes=SimpleNamespace(url="https://127.81.0.1:6443"),
            objects=KubernetesClient(InProcess(self.store, self.clock)),
            external_dns_log=lambda: self.log,
            external_dns_error=lambda: self.error,
            external_dns_syncs=lambda: self.syncs,
            replace_external_dns=lambda release, flags: self.calls.append(f"{release} {' '.join(flags)}"),
        )
        self.served: dict[str, int] = {}
        self.had: list[BalancerIdentity] = []
        self.open: dict[str, int] = {}
        self.calls: list[str] = []

    def counts(self) -> Counts:
        return Counts(ok=sum(self.served.values()), served=dict(self.served))

    def balancers(self) -> list[BalancerIdentity]:
        return self.had

    def flows(self, dns_name: str) -> int:
        return self.open.get(dns_name, 0)

    def check(self) -> None:
        """Nothing of it can fail."""

    def start_traffic(self, rate: float) -> None:
        self.calls.append(f"start {rate:g}")

    def begin_story(self) -> None:
        self.calls.append("the story begins")

    def stop_traffic(self) -> None:
        self.calls.append("stop")

    def tools(self) -> Mapping[str, str]:
        return {
            "HOME": str(self.folder),
            "TESTBED_PROGRAMS": str(self.folder),
            "AWS_ENDPOINT_URL": "http://127.81.0.1:4566",
        }

    reaches = frozenset(Reach) - {Reach.CUT_OFF}

    @contextmanager
    def strike(self, fault: InjectedFault) -> Iterator[None]:
        self.calls.append(f"{fault.text} begins")
        try:
            yield
        finally:
            self.calls.append(f"{fault.text} ends")

    @contextmanager
    def fault(self, kind: str, part: str) -> Iterator[None]:
        self.calls.append(f"{kind} {part} begins")
        yield
        self.calls.append(f"{kind} {part} ends")

    def cutover(
        self,
        *,
        external_dns: tuple[str, ...] = (),
        manifests: tuple[str, ...] = (),
        lb_controller: str | None = None,
        clients: Population | None = None,
    ) -> Cutover:
        """A cutover that is played on it."""
        scenario = Scenario(
            play=lambda _: None, name="s", title="s", host="api.example.com", zone="example.com",
            folder=self.folder, external_dns=external_dns, manifests=tuple(map(Manifests, manifests)),
            clients=clients,
        )  # fmt: skip
        self.setup = Setup.of(scenario, Options(lb_controller=lb_controller))
        return Cutover(scenario, cast(Any, self), 40.0)

    def events(self, kind: type[Event]) -> list[Any]:
        """The events of a kind in its journal."""
        if not self.journal.path.stat().st_size:
            return []
        return [event for event in read(self.journal.path) if isinstance(event, kind)]
