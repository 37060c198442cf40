"""Which objects of the manifests an operator applies, and with which annotations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from testbed.errors import BadInput
from testbed.kubernetes import manifests
from testbed.rehearsal.cutover import AliasTarget, Cutover, _selected, _with_annotations
from testbed.rehearsal.scenario import Scenario
from testbed.settings import REGION
from tests.scaffold.manifests_of_a_shop import SHOP

LOADED = manifests.parse(SHOP, Path("all.yaml"))
ARN = "alb.ingress.kubernetes.io/certificate-arn"


def test_objects_are_named_by_kind_and_name_and_keep_their_order() -> None:
    found = _selected(LOADED, ["ingress/shop-rest", "Service/shop/gateway"])
    assert [one.title for one in found] == ["Service shop/gateway", "Ingress shop/shop-rest"]


def test_an_object_that_is_not_there_is_told() -> None:
    with pytest.raises(BadInput, match="the manifests have no service/gatewy"):
        _selected(LOADED, ["service/gatewy"])


def test_annotations_that_stand_are_replaced_or_left_out_and_none_is_added() -> None:
    ingress = _selected(LOADED, ["ingress/shop-grpc"])[0].object
    changed = _with_annotations(ingress, {ARN: "x", "alb.ingress.kubernetes.io/subnets": None, "other": "y"})
    before, after = ingress["metadata"]["annotations"], changed["metadata"]["annotations"]
    assert after[ARN] == "x"
    assert set(before) - set(after) == {"alb.ingress.kubernetes.io/subnets"}
    assert "other" not in after
    assert ingress["metadata"]["annotations"][ARN] != "x"


def test_an_object_without_annotations_stays_without() -> None:
    service = _selected(LOADED, ["service/gateway-grpc"])[0].object
    assert _with_annotations(service, {ARN: "x"}) == service


@pytest.fixture
def route53() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("route53", region_name=REGION)
        client.create_hosted_zone(Name="example.com", CallerReference="1")
        yield client


NLB = "envoy-0123456789abcdef.elb.ap-northeast-1.amazonaws.com"
ALIAS = {"DNSName": NLB, "HostedZoneId": "Z31USIVHYNEOWT", "EvaluateTargetHealth": True}


def cutover(route53: Any, host: str, *records: dict[str, Any], flags: tuple[str, ...] = ()) -> Cutover:
    """A cutover that looks at a zone with these records; v0.22."""
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
    topology = SimpleNamespace(clients=SimpleNamespace(route53=route53))
    return Cutover(scenario, cast(Any, topology), 1.0, "v0.22")


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
    looked = cutover(
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
    looked = cutover(route53, "*.example.com", record, claim)
    assert looked.alias() == AliasTarget(NLB, "nlb")
    assert looked.weights() == {"nlb": 5}
    assert looked.resource_labels() == ["service/default/envoy"]
