"""moto and the endpoint in front of it, once for all tests of this folder; each test has its own zone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from testbed import journal
from testbed.aws import moto_process
from testbed.aws.certificates import CertificateStore
from testbed.aws.changes import ChangeFeed
from testbed.aws.clients import Clients
from testbed.aws.endpoint import AwsEndpoint
from testbed.clock import Clock
from testbed.network import AWS_PORT, MOTO_PORT, Network, lease
from testbed.runtime.loop import LoopThread
from testbed.runtime.process import Process

FAST = 600.0
"""So fast that no test meets Route 53's limit on calls without wanting to."""

_numbers = itertools.count(1)


@dataclass
class Account:
    """An endpoint that runs, and who speaks to it."""

    url: str
    clients: Clients
    behind: Clients
    endpoint: AwsEndpoint
    changes: ChangeFeed
    certificates: CertificateStore
    path: Path
    subnets: list[str] = field(default_factory=list)
    vpc: str = ""

    def events(self, kind: type[journal.Event]) -> list[Any]:
        """The events of a kind in the journal."""
        return [event for event in journal.read(self.path) if isinstance(event, kind)]

    def zone(self) -> str:
        """The id of a new hosted zone `z<n>.example.com`."""
        name = f"z{next(_numbers)}.example.com"
        made = self.clients.route53.create_hosted_zone(Name=name, CallerReference=name)
        return made["HostedZone"]["Id"].rpartition("/")[2]

    def zone_name(self, zone: str) -> str:
        """Its name, without the dot."""
        return self.clients.route53.get_hosted_zone(Id=zone)["HostedZone"]["Name"].rstrip(".")

    def balancer(self, kind: str = "application", scheme: str = "internet-facing") -> dict[str, Any]:
        """A new load balancer."""
        name = f"lb{next(_numbers)}"
        made = self.clients.elbv2.create_load_balancer(
            Name=name, Type=kind, Scheme=scheme, Subnets=self.subnets
        )
        return dict(made["LoadBalancers"][0])

    def group(self, version: str | None = "HTTP1", protocol: str = "HTTP", **more: Any) -> str:
        """The ARN of a new target group."""
        if version:
            more["ProtocolVersion"] = version
        made = self.clients.elbv2.create_target_group(
            Name=f"g{next(_numbers)}", Protocol=protocol, Port=80, VpcId=self.vpc, TargetType="ip", **more
        )
        return made["TargetGroups"][0]["TargetGroupArn"]

    def listener(self, balancer: str, protocol: str = "HTTPS", port: int = 443, **more: Any) -> str:
        """The ARN of a new listener that answers 404."""
        if protocol == "HTTPS":
            arn = self.clients.acm.request_certificate(DomainName="a.example.com")["CertificateArn"]
            more["Certificates"] = [{"CertificateArn": arn}]
        more.setdefault(
            "DefaultActions", [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
        )
        made = self.clients.elbv2.create_listener(
            LoadBalancerArn=balancer, Protocol=protocol, Port=port, **more
        )
        return made["Listeners"][0]["ListenerArn"]


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    with lease() as leased:
        yield leased


@pytest.fixture(scope="session")
def moto(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logs = tmp_path_factory.mktemp("moto")
    with Process(moto_process.command(network.control, MOTO_PORT), logs) as process:
        process.wait_until(lambda: moto_process.is_ready(process))
        yield f"http://{network.control}:{MOTO_PORT}"


@pytest.fixture(scope="session")
def servers() -> Iterator[LoopThread]:
    with LoopThread() as loop:
        yield loop


@pytest.fixture(scope="session")
def account(
    network: Network, moto: str, servers: LoopThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("aws")
    changes, certificates = ChangeFeed(), CertificateStore(folder / "tls")
    with journal.Journal(folder / "journal.ndjson") as run_journal:
        endpoint = AwsEndpoint(
            network.control,
            AWS_PORT,
            moto,
            changes=changes,
            certificates=certificates,
            run_journal=run_journal,
            clock=Clock(FAST),
        )
        servers.run(endpoint.start())
        url = network.aws_endpoint
        made = Account(
            url, Clients(url), Clients(moto), endpoint, changes, certificates, folder / "journal.ndjson"
        )
        found = made.clients.ec2.describe_subnets()["Subnets"]
        made.subnets, made.vpc = [one["SubnetId"] for one in found[:2]], found[0]["VpcId"]
        yield made
        servers.run(endpoint.stop())
