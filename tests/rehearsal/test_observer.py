"""What is seen of a host in Route 53, and of the objects in the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from testbed.options import Options
from testbed.rehearsal.observer import AliasTarget, Observer
from testbed.rehearsal.scenario import Scenario
from testbed.rehearsal.setup import Setup
from testbed.settings import REGION


@pytest.fixture
def route53() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("route53", region_name=REGION)
        client.create_hosted_zone(Name="example.com", CallerReference="1")
        yield client


NLB = "envoy-0123456789abcdef.elb.ap-northeast-1.amazonaws.com"
ALIAS = {"DNSName": NLB, "HostedZoneId": "Z31USIVHYNEOWT", "EvaluateTargetHealth": True}


def observer(route53: Any, host: str, *records: dict[str, Any], flags: tuple[str, ...] = ()) -> Observer:
    """An observer that looks at a zone with these records; v0.22."""
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    changes = [{"Action": "CREATE", "ResourceRecordSet": record} for record in records]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    standing = ("--source=service", "--provider=aws", "--policy=sync", "--txt-owner-id=me")
    folder = Path(__file__).parent
    scenario = Scenario(
        play=lambda _: None,
        name="s",
        title="s",
        host=host,
        zone="example.com",
        folder=folder,
        external_dns=(*standing, *flags),
    )
    topology = SimpleNamespace(
        clients=SimpleNamespace(route53=route53),
        setup=Setup.of(scenario, Options(external_dns="v0.22")),
        balancers=lambda: (),
    )
    return Observer(scenario, cast(Any, topology))


def txt(name: str, resource: str) -> dict[str, Any]:
    value = f'"heritage=external-dns,external-dns/owner=me,external-dns/resource={resource}"'
    return {"Name": name, "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": value}]}


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("a-api.example.com", ()),
        ("txt-a-api.example.com", ("--txt-prefix=txt-",)),
        ("owner-a.api.example.com", ("--txt-prefix=owner-%{record_type}.",)),
        ("a-api-owner.example.com", ("--txt-suffix=-owner",)),
    ],
)
def test_the_claim_on_the_host_is_found_where_the_flags_put_its_txt(
    route53: Any, name: str, flags: tuple[str, ...]
) -> None:
    looked = observer(
        route53,
        "api.example.com",
        txt(name, "service/default/envoy"),
        txt("a-other.example.com", "service/default/other"),
        flags=flags,
    )
    assert looked.resource_labels() == ["service/default/envoy"]


def test_a_wildcard_is_seen_with_its_alias_weights_and_claim(route53: Any) -> None:
    record = {"Name": "*.example.com", "Type": "A", "AliasTarget": ALIAS, "SetIdentifier": "a", "Weight": 5}
    claim = txt("*.example.com", "service/default/envoy") | {"SetIdentifier": "a", "Weight": 5}
    looked = observer(route53, "*.example.com", record, claim)
    assert looked.alias() == AliasTarget(NLB, "nlb")
    assert looked.weights() == {"nlb": 5}
    assert looked.resource_labels() == ["service/default/envoy"]
