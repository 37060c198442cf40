"""What becomes an alias, and which update no UPSERT can make."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.provider.record_sets import RecordSets

NLB = "a0-1.elb.eu-west-1.amazonaws.com"
ALB = "k8s-web-1.eu-west-1.elb.amazonaws.com"
OLD = ("v0.7.4", "v0.7.5")


def sets(version: str, *, prefer_cname: bool = False) -> RecordSets:
    return RecordSets(release_of(version), lambda *_, **__: None, prefer_cname=prefer_cname)


def cname(target: str, *, alias: bool = False) -> Endpoint:
    properties = {"alias": "true"} if alias else {}
    return Endpoint("app.example.com", "CNAME", (target,), properties=properties)


def made(found: RecordSets, endpoint: Endpoint) -> dict[str, Any]:
    record: dict[str, Any] = found.changes("CREATE", endpoint)[0]["ResourceRecordSet"]
    return record


@pytest.mark.parametrize("version", OLD)
def test_before_v0_8_the_annotation_alone_makes_no_alias(version: str) -> None:
    assert made(sets(version), cname("lb.example.net", alias=True))["Type"] == "CNAME"


@pytest.mark.parametrize("version", OLD)
def test_before_v0_8_the_annotation_does_not_beat_prefer_cname(version: str) -> None:
    assert made(sets(version, prefer_cname=True), cname(NLB, alias=True))["Type"] == "CNAME"
    assert made(sets(version), cname(NLB))["AliasTarget"]["DNSName"] == NLB


@pytest.mark.parametrize("version", OLD)
def test_before_v0_8_the_annotation_makes_an_alias_to_a_record_that_is_at_a_balancer(version: str) -> None:
    found = sets(version)
    alias = {"DNSName": f"{NLB}.", "HostedZoneId": "Z1", "EvaluateTargetHealth": True}
    found.endpoint({"Name": "lb.example.com.", "Type": "A", "AliasTarget": alias})
    found.endpoint({"Name": "ip.example.com.", "Type": "A", "ResourceRecords": [{"Value": "192.0.2.1"}]})
    assert made(found, cname("lb.example.com", alias=True))["AliasTarget"]["DNSName"] == "lb.example.com"
    assert made(found, cname("ip.example.com", alias=True))["Type"] == "CNAME"
    assert made(found, cname("lb.example.com"))["Type"] == "CNAME"


@pytest.mark.parametrize(
    ("old", "new", "prefer_cname", "changes"),
    [
        (cname(NLB), cname(ALB), False, False),
        (cname(NLB), cname("lb.example.net"), False, True),
        (cname(NLB), cname("lb.example.net"), True, False),
        (Endpoint("app.example.com", "A", ("192.0.2.1",)), cname(NLB), False, True),
    ],
)
def test_in_v0_7_5_the_kind_changes_with_the_type_or_between_alias_and_cname(
    old: Endpoint, new: Endpoint, *, prefer_cname: bool, changes: bool
) -> None:
    assert sets("v0.7.5", prefer_cname=prefer_cname).changes_kind(old, new) is changes
