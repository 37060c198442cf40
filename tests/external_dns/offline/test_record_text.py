"""Records and batches are written in lines that fit and can be copied."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.external_dns.offline.record_text import batch, counted, fitted, heading, record

ALIAS = {"DNSName": "lb.test.", "HostedZoneId": "Z", "EvaluateTargetHealth": True}
OWNER = '"heritage=external-dns,external-dns/owner=me,external-dns/resource=service/default/web"'


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"Name": "a.test.", "Type": "A", "AliasTarget": ALIAS}, ("a.test A", "alias lb.test")),
        (
            {"Name": "a.test.", "Type": "A", "AliasTarget": {**ALIAS, "EvaluateTargetHealth": False}},
            ("a.test A", "alias lb.test, whatever its targets' health"),
        ),
        (
            {"Name": "a.test", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "1.2.3.4"}], "Weight": 9}
            | {"SetIdentifier": "blue"},
            ("a.test A [blue weight 9]", "60 s 1.2.3.4"),
        ),
        (
            {"Name": "a-a.test.", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": OWNER}]},
            ("a-a.test TXT", "300 s owner=me resource=service/default/web"),
        ),
    ],
)
def test_a_record_has_a_key_and_a_content(form: dict[str, Any], text: tuple[str, str]) -> None:
    assert record(form) == text


def test_a_refused_batch_ends_with_the_refusal() -> None:
    form = {"Name": "a.test.", "Type": "A", "AliasTarget": ALIAS}
    lines = list(batch([{"Action": "CREATE", "ResourceRecordSet": form}], "[no]", 2))
    assert lines == ["  CREATE  a.test A alias lb.test", "  Route 53 refuses it: [no]"]


def test_items_are_counted_with_their_noun() -> None:
    assert (counted([1]), counted([1, 2], "record")) == ("1 change", "2 records")
    assert heading("v0.22", ["--policy=sync"]) == "ExternalDNS v0.22 --policy=sync"


def test_what_does_not_fit_beside_its_head_gets_a_line_of_its_own() -> None:
    assert fitted("  a.test A", "alias lb.test", 4) == ["  a.test A alias lb.test"]
    assert fitted("  a.test A", "x" * 95, 4) == ["  a.test A", "    " + "x" * 95]
