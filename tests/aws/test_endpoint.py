"""boto3 against the endpoint with a real moto behind it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509

from testbed import journal
from testbed.aws import moto_process
from testbed.aws.certificates import CertificateStore
from testbed.aws.changes import ChangeFeed
from testbed.aws.clients import Clients
from testbed.aws.endpoint import AwsEndpoint
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.network import AWS_PORT, MOTO_PORT, lease
from testbed.runtime.loop import LoopThread
from testbed.runtime.process import Process


class Run:
    """An endpoint in front of a moto, and what they tell."""

    def __init__(self, folder: Path, address: str, upstream: str) -> None:
        self.changes = ChangeFeed()
        self.certificates = CertificateStore(folder / "tls")
        self.path = folder / "journal.ndjson"
        self.journal = journal.Journal(self.path)
        self.endpoint = AwsEndpoint(
            address,
            AWS_PORT,
            upstream,
            changes=self.changes,
            certificates=self.certificates,
            run_journal=self.journal,
            clock=Clock(),
        )
        self.clients = Clients(f"http://{address}:{AWS_PORT}")

    def events(self, kind: type[journal.Event]) -> list[Any]:
        return [event for event in journal.read(self.path) if type(event) is kind]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("aws")
    with lease() as network, Process(moto_process.command(network.control, MOTO_PORT), folder) as moto:
        made = Run(folder, network.control, f"http://{network.control}:{MOTO_PORT}")
        moto.wait_until(lambda: moto_process.is_ready(moto))
        with LoopThread() as loop, made.journal:
            loop.run(made.endpoint.start())
            yield made
            loop.run(made.endpoint.stop())


@pytest.fixture(scope="module")
def zone(run: Run) -> str:
    return run.clients.route53.create_hosted_zone(Name="example.com", CallerReference="x")["HostedZone"]["Id"]


def balancer(run: Run, name: str, kind: str) -> dict[str, Any]:
    subnets = [one["SubnetId"] for one in run.clients.ec2.describe_subnets()["Subnets"][:2]]
    made = run.clients.elbv2.create_load_balancer(Name=name, Type=kind, Subnets=subnets)  # type: ignore[arg-type]
    return dict(made["LoadBalancers"][0])


def change(run: Run, zone: str, action: str, record: dict[str, Any]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    run.clients.route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)  # type: ignore[arg-type]


def test_balancers_have_the_names_and_zones_of_their_type(run: Run) -> None:
    nlb, alb = balancer(run, "names-nlb", "network"), balancer(run, "names-alb", "application")
    assert nlb["DNSName"].endswith(".elb.ap-northeast-1.amazonaws.com")
    assert "/net/" in nlb["LoadBalancerArn"]
    assert nlb["CanonicalHostedZoneId"] == "Z31USIVHYNEOWT"
    assert alb["DNSName"].endswith(".ap-northeast-1.elb.amazonaws.com")
    assert alb["CanonicalHostedZoneId"] == "Z14GRHDCWA56QT"


def test_a_refused_batch_is_awss_own_error_and_changes_nothing(run: Run, zone: str) -> None:
    record = {"Name": "twice.example.com", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]}
    change(run, zone, "CREATE", record)
    before = run.changes.revision("route53")
    with pytest.raises(ClientError, match=r"\[Tried to create resource record set \[name='twice") as error:
        change(run, zone, "CREATE", record)
    assert error.value.response["Error"]["Code"] == "InvalidChangeBatch"
    assert run.changes.revision("route53") == before
    told = run.events(journal.DnsChange)[-1]
    assert told.refused.startswith("Tried to create")
    change(run, zone, "DELETE", record)
    assert run.changes.revision("route53") == before + 1


def test_an_alias_is_kept_in_lower_case_with_a_dot(run: Run, zone: str) -> None:
    nlb = balancer(run, "Mixed-Case", "network")
    target = {
        "DNSName": nlb["DNSName"].upper(),
        "HostedZoneId": nlb["CanonicalHostedZoneId"],
        "EvaluateTargetHealth": False,
    }
    change(run, zone, "UPSERT", {"Name": "mixed.example.com", "Type": "A", "AliasTarget": target})
    records = run.clients.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    kept = next(record for record in records if record["Name"] == "mixed.example.com.")
    assert kept["AliasTarget"]["DNSName"] == nlb["DNSName"] + "."


def test_a_grpc_group_is_refused_on_an_http_listener(run: Run) -> None:
    alb, elbv2 = balancer(run, "grpc-on-http", "application"), run.clients.elbv2
    group = elbv2.create_target_group(
        Name="grpc", Protocol="HTTP", ProtocolVersion="GRPC", Port=80, TargetType="ip", VpcId=alb["VpcId"]
    )["TargetGroups"][0]["TargetGroupArn"]
    with pytest.raises(
        ClientError, match="'HTTP' is not supported with a target group with the protocol-version"
    ):
        elbv2.create_listener(
            LoadBalancerArn=alb["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )


def test_target_health_is_what_the_checks_say(run: Run) -> None:
    alb, elbv2 = balancer(run, "health", "application"), run.clients.elbv2
    group = elbv2.create_target_group(
        Name="health", Protocol="HTTP", Port=80, TargetType="ip", VpcId=alb["VpcId"]
    )
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": "127.0.0.1", "Port": 80}])

    def states() -> list[str]:
        found = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return [one["TargetHealth"]["State"] for one in found]

    assert states() == ["initial"]
    known = {"Target": {"Id": "127.0.0.1", "Port": 80}, "TargetHealth": {"State": "unhealthy"}}
    run.endpoint.target_health = lambda _: [known]
    assert states() == ["unhealthy"]
    run.endpoint.target_health = lambda _: []


def test_a_requested_certificate_is_issued_for_its_names(run: Run) -> None:
    arn = run.clients.acm.request_certificate(
        DomainName="api.example.com", SubjectAlternativeNames=["*.api.example.com"]
    )["CertificateArn"]
    chain, key = run.certificates.get(arn)
    names = x509.load_pem_x509_certificate(chain).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["api.example.com", "*.api.example.com"]
    assert b"PRIVATE KEY" in key


@pytest.mark.parametrize("body", [b"", b"nonsense", b"<a/>", b"\xff\xfe"])
def test_a_malformed_batch_is_refused_without_harm(run: Run, zone: str, body: bytes) -> None:
    connection = http.client.HTTPConnection(run.endpoint._address, AWS_PORT)
    connection.request("POST", f"/2013-04-01{zone}/rrset/", body)
    answer = connection.getresponse()
    assert answer.status == 400
    assert b"MalformedInput" in answer.read()
    connection.close()


def test_a_taken_port_is_told_in_one_line(run: Run, tmp_path: Path) -> None:
    other = Run(tmp_path, run.endpoint._address, "http://127.0.0.1:9")
    with LoopThread() as loop, other.journal, pytest.raises(Missing, match=r"4566 \(AWS endpoint\) is taken"):
        loop.run(other.endpoint.start())


def test_a_backend_that_is_down_is_told_as_awss_503(tmp_path: Path) -> None:
    with lease() as network, LoopThread() as loop:
        made = Run(tmp_path, network.control, f"http://{network.control}:9")
        loop.run(made.endpoint.start())
        connection = http.client.HTTPConnection(network.control, AWS_PORT)
        connection.request("GET", "/2013-04-01/hostedzone")
        answer = connection.getresponse()
        assert answer.status == 503
        assert b"does not answer" in answer.read()
        connection.close()
        loop.run(made.endpoint.stop())
        made.journal.close()
