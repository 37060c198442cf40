"""A small cloud: ELBv2 and ACM by moto, both balancer Envoys, two target Envoys and two backend pods."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import grpc
import httpx
import pytest
import trustme
from moto import mock_aws

from testbed.borrowed_sockets import sockets
from testbed.child_process import Command, Process
from testbed.clock import Clock
from testbed.journal import Journal
from testbed.load_balancers import connection_resets
from testbed.load_balancers.envoy_fleet import Fleet
from testbed.network import Network, lease
from testbed.runtime.components import balancer_envoys, target_envoys
from testbed.runtime.loop_thread import LoopThread
from testbed.settings import PATIENCE, REGION

SPEED = 60.0
HOST = "api.example.com"


class Feed:
    """A change feed that the tests bump by hand."""

    def __init__(self) -> None:
        self._revisions = {"elbv2": 0, "acm": 0}
        self._changed = threading.Condition()

    def bump(self, service: str = "elbv2") -> None:
        with self._changed:
            self._revisions[service] += 1
            self._changed.notify_all()

    def revision(self, service: str) -> int:
        return self._revisions[service]

    def wait(self, service: str, since: int, wall_seconds: float) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self._revisions[service] > since, wall_seconds)
            return self._revisions[service]


class Store(dict[str, tuple[bytes, bytes]]):
    """Certificates by ARN; an unknown one is a KeyError."""

    def get(self, arn: str) -> tuple[bytes, bytes]:  # type: ignore[override]
        return self[arn]


class Front:
    """The endpoint that customers call: it says which balancers are still set up."""

    def __init__(self, elbv2: Any) -> None:
        self._elbv2 = elbv2
        self.provisioning: set[str] = set()

    def get_paginator(self, _operation: str) -> Front:
        return self

    def paginate(self) -> Iterator[dict[str, Any]]:
        for page in self._elbv2.get_paginator("describe_load_balancers").paginate():
            for one in page["LoadBalancers"]:
                if one["LoadBalancerArn"] in self.provisioning:
                    one["State"] = {"Code": "provisioning"}
            yield page


@dataclass
class Cloud:
    """What the tests talk to."""

    network: Network
    folder: Path
    clock: Clock
    elbv2: Any
    acm: Any
    ec2: Any
    feed: Feed
    store: Store
    authority: trustme.CA
    fleet: Fleet
    front: Front
    groups: dict[str, str] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)

    @property
    def trusted(self) -> bytes:
        return self.authority.cert_pem.bytes()

    def issue(self, *names: str) -> tuple[bytes, bytes]:
        leaf = self.authority.issue_cert(*names)
        return b"".join(blob.bytes() for blob in leaf.cert_chain_pems), leaf.private_key_pem.bytes()

    def certificate(self, *names: str) -> str:
        chain, key = self.issue(*names)
        arn: str = self.acm.import_certificate(Certificate=chain, PrivateKey=key)["CertificateArn"]
        self.store[arn] = (chain, key)
        return arn

    def balancer(self, name: str, kind: str = "application") -> dict[str, Any]:
        subnets = [item["SubnetId"] for item in self.ec2.describe_subnets()["Subnets"]][:2]
        made = self.elbv2.create_load_balancer(Name=name, Subnets=subnets, Type=kind)
        return dict(made["LoadBalancers"][0])

    def group(self, name: str, version: str, *targets: tuple[str, int], **more: Any) -> str:
        vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        settings: dict[str, Any] = {"Protocol": "TCP", "HealthCheckProtocol": "TCP"}
        if version != "TCP":
            path = "/AWS.ALB/healthcheck" if version == "GRPC" else "/healthz"
            settings = {"Protocol": "HTTP", "ProtocolVersion": version, "HealthCheckPath": path}
        settings |= {"HealthCheckIntervalSeconds": 15, "Port": 80, "TargetType": "ip", "VpcId": vpc, **more}
        arn: str = self.elbv2.create_target_group(Name=name, **settings)["TargetGroups"][0]["TargetGroupArn"]
        if targets:
            self.elbv2.register_targets(
                TargetGroupArn=arn, Targets=[{"Id": host, "Port": port} for host, port in targets]
            )
        return arn

    def listener(self, balancer: dict[str, Any], protocol: str, port: int, action: Any, *arns: str) -> str:
        given = {"Certificates": [{"CertificateArn": arn} for arn in arns]} if arns else {}
        made = self.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol=protocol,
            Port=port,
            DefaultActions=[action],
            **given,
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def rule(self, listener: str, priority: int, action: Any, *paths: str) -> str:
        condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": list(paths)}}
        made = self.elbv2.create_rule(
            ListenerArn=listener, Priority=priority, Conditions=[condition], Actions=[action]
        )
        return str(made["Rules"][0]["RuleArn"])

    @staticmethod
    def forward(arn: str) -> dict[str, Any]:
        return {"Type": "forward", "TargetGroupArn": arn}

    @staticmethod
    def fixed(status: int, body: str = "") -> dict[str, Any]:
        config = {"StatusCode": str(status), "ContentType": "text/plain", "MessageBody": body}
        return {"Type": "fixed-response", "FixedResponseConfig": config}

    @staticmethod
    def redirect(**parts: str) -> dict[str, Any]:
        return {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **parts}}

    def pods(self, port: int) -> list[tuple[str, int]]:
        return [(self.network.envoy_pod(index), port) for index in (0, 1)]

    def eventually(self, true: Callable[[], object]) -> None:
        """Poll until true; fail when it does not come at all. How soon it comes is for the benchmark."""
        pause = threading.Event()
        for _ in range(int(PATIENCE.condition / PATIENCE.poll)):
            try:
                if true():
                    return
            except (httpx.TransportError, grpc.RpcError, OSError):
                pass  # not there yet
            pause.wait(PATIENCE.poll)
        assert true()

    def flows_to(self, target: tuple[str, int]) -> int:
        """Connections that are open from balancers to a target."""
        mine = f"127.{self.network.second}."
        return sum(
            one.remote == target and one.local[0].startswith(mine) and one.local[0] != target[0]
            for one in sockets().values()
            if self.fleet.balancer_of(one.local[0])
        )

    def channel(self, address: str, port: int = 443) -> grpc.Channel:
        credentials = grpc.ssl_channel_credentials(self.trusted)
        return grpc.secure_channel(
            f"{address}:{self.network.port(port)}",
            credentials,
            options=[("grpc.ssl_target_name_override", HOST), ("grpc.use_local_subchannel_pool", 1)],
        )


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    feed, store, clock = Feed(), Store(), Clock(SPEED)
    with mock_aws(), lease() as network, LoopThread() as loop, Journal(folder / "journal.ndjson") as journal:
        clients = [boto3.client(name, region_name=REGION) for name in ("elbv2", "acm", "ec2")]
        front = Front(clients[0])
        fleet = Fleet(
            elbv2=clients[0],
            front=front,
            changes=feed,
            certificates=store,
            network=network,
            clock=clock,
            journal=journal,
            folder=folder,
        )
        made = Cloud(network, folder, clock, *clients, feed, store, trustme.CA(), fleet, front)
        up = threading.Event()
        running = asyncio.run_coroutine_threadsafe(fleet.run(up.set), loop.loop)
        assert up.wait(PATIENCE.process_start)
        with contextlib.ExitStack() as processes:
            processes.callback(running.cancel)
            _start(made, processes)
            yield made
            assert not running.done(), running.exception()
            assert not [refusal for node in fleet.server.nodes.values() for refusal in node.refusals]


def _start(cloud: Cloud, stack: contextlib.ExitStack) -> None:
    network, folder = cloud.network, cloud.folder
    chain, key = cloud.issue(HOST)
    (folder / "own.pem").write_bytes(chain)
    (folder / "own.key").write_bytes(key)
    backends = (network.backend_pod(0), network.backend_pod(1))
    envoys = [balancer_envoys.envoy(kind, network, cloud.clock, folder) for kind in ("nlb", "alb")]
    for index in (0, 1):
        pod = target_envoys.TargetPod(
            f"envoy-{index}", network.envoy_pod(index), backends, folder / "own.pem", folder / "own.key"
        )
        envoys.append(target_envoys.envoy(pod, cloud.clock, folder))
    processes = [stack.enter_context(item.start(folder)) for item in envoys]
    cloud.pids.update((process.name, process.pid) for process in processes)
    cloud.fleet.cut = lambda kind, nodes, gone: connection_resets.cut(cloud.pids[kind], nodes, gone)
    for index, address in enumerate(backends):
        command = [
            sys.executable,
            "-m",
            "testbed.backend",
            "--name",
            f"backend-{index}",
            "--address",
            address,
        ]
        processes.append(stack.enter_context(Process(Command(f"backend-{index}", command), folder)))
    for item, process in zip(envoys, processes, strict=False):
        item.wait_until_ready(process)
    for process in processes[len(envoys) :]:
        process.wait_until(lambda process=process: "ready" in process.log.read_text())  # type: ignore[misc]


@dataclass
class Story:
    """The story's two balancers."""

    alb: dict[str, Any]
    nlb: dict[str, Any]
    https: str
    grpc: str
    rest: str
    certificate: str


@pytest.fixture(scope="module")
def story(cloud: Cloud) -> Story:
    """An NLB to the TLS listeners, an ALB with a GRPC and an HTTP1 group at the plain ones."""
    nlb, alb = cloud.balancer("tcp", "network"), cloud.balancer("web")
    tcp = cloud.group("tcp", "TCP", *cloud.pods(8443))
    cloud.listener(nlb, "TCP", 443, cloud.forward(tcp))
    grpc_group = cloud.group("grpc", "GRPC", *cloud.pods(8080))
    rest_group = cloud.group("rest", "HTTP1", *cloud.pods(8080))
    certificate = cloud.certificate(HOST)
    https = cloud.listener(alb, "HTTPS", 443, cloud.fixed(404), certificate)
    cloud.rule(https, 10, cloud.forward(grpc_group), "/measurement.v1.MeasurementService/*")
    cloud.rule(https, 20, cloud.forward(rest_group), "/measurements", "/measurements/*", "/healthz")
    cloud.feed.bump()
    made = Story(alb, nlb, https, grpc_group, rest_group, certificate)
    cloud.eventually(lambda: len(cloud.fleet.addresses(nlb["DNSName"])) == 2)
    cloud.eventually(
        lambda: all(
            item["TargetHealth"]["State"] == "healthy"
            for arn in (tcp, grpc_group, rest_group)
            for item in cloud.fleet.health.describe(arn) or [{"TargetHealth": {"State": "none"}}]
        ),
    )
    return made
