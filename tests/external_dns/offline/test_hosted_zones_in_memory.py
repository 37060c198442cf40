"""Zones in memory refuse what Route 53 refuses, all or nothing, and give names back as it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from testbed.external_dns.offline.hosted_zones_in_memory import HostedZones
from testbed.external_dns.offline.zone_file import ZoneFile

ZONE = "/hostedzone/Z1"
ALB = "K8S-web-1.eu-west-1.elb.amazonaws.com"


def change(action: str, name: str, kind: str = "A", **more: Any) -> dict[str, Any]:
    content = more or {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    return {"Action": action, "ResourceRecordSet": {"Name": name, "Type": kind, **content}}


def account(*changes: dict[str, Any]) -> HostedZones:
    found = HostedZones([ZoneFile(Path("zone.json"), "example.com", ZONE, ())])
    if changes:
        found.change_resource_record_sets(ZONE, {"Changes": changes})
    return found


def names(of: HostedZones) -> list[str]:
    [page] = of.get_paginator("list_resource_record_sets").paginate(ZONE)
    return [record["Name"] for record in page["ResourceRecordSets"]]


def test_one_bad_change_undoes_its_batch() -> None:
    found = account(change("CREATE", "a.example.com"))
    with pytest.raises(ClientError, match="it already exists"):
        found.change_resource_record_sets(
            ZONE, {"Changes": [change("CREATE", "b.example.com"), change("CREATE", "a.example.com")]}
        )
    assert names(found) == ["a.example.com."]
    assert [bool(batch.refusal) for batch in found.batches] == [False, True]


def test_names_come_back_in_small_letters_with_a_dot_and_escapes() -> None:
    alias = {"DNSName": ALB, "HostedZoneId": "Z32O12XQLNTSW2", "EvaluateTargetHealth": True}
    found = account(change("CREATE", "*.Example.com", AliasTarget=alias))
    [page] = found.get_paginator("list_resource_record_sets").paginate(ZONE)
    [record] = page["ResourceRecordSets"]
    assert record["Name"] == "\\052.example.com."
    assert record["AliasTarget"]["DNSName"] == f"{ALB.lower()}."


def test_an_alias_may_point_to_a_record_of_the_zone_but_not_to_one_that_is_absent() -> None:
    target = {"DNSName": "www.example.com", "HostedZoneId": "Z1", "EvaluateTargetHealth": False}
    with pytest.raises(ClientError, match="that target was not found"):
        account(change("CREATE", "a.example.com", AliasTarget=target))
    found = account(change("CREATE", "www.example.com"))
    found.change_resource_record_sets(
        ZONE, {"Changes": [change("CREATE", "a.example.com", AliasTarget=target)]}
    )
    assert names(found) == ["a.example.com.", "www.example.com."]


def test_a_deleted_record_is_gone() -> None:
    found = account(change("CREATE", "a.example.com"), change("CREATE", "b.example.com"))
    found.change_resource_record_sets(ZONE, {"Changes": [change("DELETE", "a.example.com")]})
    assert names(found) == ["b.example.com."]
