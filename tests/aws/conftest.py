"""moto and the endpoint in front of it, once for all tests of this folder; each test has its own zone."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from testbed import journal
from testbed.aws.aws_endpoint import AwsEndpoint
from testbed.aws.boto3_clients import Clients
from testbed.aws.certificate_store import CertificateStore
from testbed.aws.change_feed import ChangeFeed
from testbed.child_process import Process
from testbed.clock import Clock
from testbed.network import AWS_PORT, MOTO_PORT, Network, lease
from testbed.runtime.components import moto as moto_process
from testbed.runtime.loop_thread import LoopThread
from testbed.settings import PATIENCE
from tests.aws.model_judge import judge

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
    parent: str = ""

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

    def certificate(self, *names: str) -> str:
        """The ARN of a new certificate that is issued."""
        acm = self.clients.acm
        arn = acm.request_certificate(
            DomainName=names[0], SubjectAlternativeNames=list(names), ValidationMethod="DNS"
        )["CertificateArn"]
        self.validate(arn)
        return str(arn)

    def validate(self, arn: str) -> None:
        """Write the validation records of a certificate into a zone of `example.com`, and wait."""
        acm, route53 = self.clients.acm, self.clients.route53
        if not self.parent:
            made = route53.create_hosted_zone(Name="example.com", CallerReference="parent")
            self.parent = made["HostedZone"]["Id"]
        for option in acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]:
            found = option["ResourceRecord"]
            record = {"Name": found["Name"], "Type": "CNAME", "TTL": 300}
            record["ResourceRecords"] = [{"Value": found["Value"]}]
            changes: Any = [{"Action": "UPSERT", "ResourceRecordSet": record}]
            route53.change_resource_record_sets(HostedZoneId=self.parent, ChangeBatch={"Changes": changes})
        for _ in range(int(PATIENCE.condition / PATIENCE.poll)):
            if acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED":
                return
            threading.Event().wait(PATIENCE.poll)
        raise AssertionError("the certificate was never issued")

    def listener(self, balancer: str, protocol: str = "HTTPS", port: int = 443, **more: Any) -> str:
        """The ARN of a new listener that answers 404."""
        if protocol == "HTTPS":
            more["Certificates"] = [{"CertificateArn": self.certificate("a.example.com")}]
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


@contextmanager
def opened(network: Network, moto: str, servers: LoopThread, folder: Path) -> Iterator[Account]:
    """An endpoint in front of a moto, and who speaks to it."""
    name_server = network.dns, network.dns_port
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
            name_server=name_server,
        )
        servers.run(endpoint.start())
        url = network.aws_endpoint
        made = Account(
            url, Clients(url), Clients(moto), endpoint, changes, certificates, folder / "journal.ndjson"
        )
        made.clients.session.register("after-call", judge)
        found = made.clients.ec2.describe_subnets()["Subnets"]
        made.subnets, made.vpc = [one["SubnetId"] for one in found[:2]], found[0]["VpcId"]
        yield made
        servers.run(endpoint.stop())


@pytest.fixture(scope="session")
def account(
    network: Network, moto: str, servers: LoopThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Account]:
    with opened(network, moto, servers, tmp_path_factory.mktemp("aws")) as made:
        yield made


@pytest.fixture
def empty_account(servers: LoopThread, tmp_path: Path) -> Iterator[Account]:
    """An account of the test's own, in which nothing is yet."""
    with lease() as network, Process(moto_process.command(network.control, MOTO_PORT), tmp_path) as process:
        process.wait_until(lambda: moto_process.is_ready(process))
        with opened(network, f"http://{network.control}:{MOTO_PORT}", servers, tmp_path) as made:
            yield made
