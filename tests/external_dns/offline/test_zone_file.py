"""Only the whole listing of one hosted zone is taken; anything else is refused with its line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from testbed.errors import BadInput
from testbed.external_dns.offline import zone_file

SOA: Mapping[str, Any] = {
    "Name": "example.com.",
    "Type": "SOA",
    "TTL": 900,
    "ResourceRecords": [{"Value": "ns-1.awsdns-01.org. hostmaster.amazon.com. 1 7200 900 1209600 86400"}],
}
APP: Mapping[str, Any] = {
    "Name": "app.example.com.",
    "Type": "A",
    "TTL": 60,
    "ResourceRecords": [{"Value": "192.0.2.1"}],
}


def listing(folder: Path, *records: Any, name: str = "zone.json", **more: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps({"ResourceRecordSets": records, **more}, indent=2))
    return path


def refusal(*paths: Path, names: Sequence[str] = ()) -> str:
    with pytest.raises(BadInput) as caught:
        zone_file.load(paths, names)
    return str(caught.value)


def test_the_zone_is_where_the_soa_record_stands(tmp_path: Path) -> None:
    [zone] = zone_file.load([listing(tmp_path, APP, SOA)])
    assert zone.name == "example.com"
    assert list(zone.records) == [APP, SOA]


def test_yaml_as_aws_prints_it_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "zone.yaml"
    path.write_text(
        "ResourceRecordSets:\n- Name: example.com.\n  ResourceRecords:\n  - Value: a. b. 1 2 3 4 5\n"
        "  TTL: 900\n  Type: SOA\n"
    )
    assert zone_file.load([path])[0].name == "example.com"


def test_a_listing_without_soa_needs_the_name(tmp_path: Path) -> None:
    path = listing(tmp_path, APP)
    assert refusal(path).endswith("no SOA record says which hosted zone this is; add --zone-name NAME")
    assert zone_file.load([path], ["Example.com."])[0].name == "example.com"


def test_another_name_than_the_listings_is_refused(tmp_path: Path) -> None:
    text = refusal(listing(tmp_path, SOA), names=["example.org"])
    assert "zone.json:3: the listing is of example.com., not of example.org." in text


@pytest.mark.parametrize(
    ("record", "line", "words"),
    [
        ([], 13, "a record set must be a mapping"),
        ({"Type": "A"}, 13, "a record set needs a Name"),
        ({**APP, "Type": 1}, 15, "a record set needs a Type"),
        ({"Name": "a.example.com.", "Type": "A"}, 13, "has neither ResourceRecords nor an AliasTarget"),
        ({**APP, "ResourceRecords": ["192.0.2.1"]}, 18, "must be {Value: text}"),
        ({**APP, "TTL": "60"}, 16, "needs a TTL in whole seconds"),
        (
            {"Name": "a.example.com.", "Type": "A", "AliasTarget": {"DNSName": "b."}},
            16,
            "the AliasTarget of a.example.com. A needs HostedZoneId",
        ),
        ({**APP, "Name": "app.example.org."}, 14, "does not lie in the hosted zone example.com."),
        (SOA, 13, "example.com. SOA is listed twice"),
        ({**SOA, "Name": "example.org."}, 13, "records of two hosted zones"),
    ],
)
def test_what_is_no_record_of_the_zone_is_refused_with_its_line(
    tmp_path: Path, record: Any, line: int, words: str
) -> None:
    text = refusal(listing(tmp_path, SOA, record))
    assert f"zone.json:{line}: " in text
    assert words in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", "", "the file is empty"),
        ('{\n "HostedZones": []}', "", "no ResourceRecordSets here, but keys HostedZones"),
        ("[]", "", "no ResourceRecordSets here, but a list"),
        ('{"ResourceRecordSets":\n [}', ":2", "not valid JSON"),
        (
            "$ORIGIN example.com.\n@ 900 IN SOA a. b. 1 2 3 4 5\n",
            ":1",
            "no ResourceRecordSets here, but text",
        ),
        ("app.example.com. 60 IN A 192.0.2.1\n", "", "no ResourceRecordSets here"),
        ('{"ResourceRecordSets": [],\n"IsTruncated": true}', ":2", "the listing is cut off"),
        ('{"ResourceRecordSets": [],\n\t"NextToken": "x"}', "", "the listing is cut off"),
    ],
)
def test_a_file_of_another_shape_is_refused_in_one_line(
    tmp_path: Path, text: str, line: str, words: str
) -> None:
    path = tmp_path / "zone"
    path.write_text(text)
    told = refusal(path)
    assert told.startswith(f"{path}{line}: " if line else f"{path}")
    assert words in told
    assert "\n" not in told


def test_of_two_zones_with_one_name_one_is_private_and_both_are_named_by_their_files(tmp_path: Path) -> None:
    public = listing(tmp_path, SOA, name="public.json")
    private = listing(tmp_path, APP, SOA, name="private.json")
    zones = zone_file.load([public, private])
    assert [(str(zone), zone.is_private) for zone in zones] == [
        ("example.com (public.json)", False),
        ("example.com (private.json)", True),
    ]


def test_a_zone_with_the_name_servers_of_private_zones_is_private_wherever_it_stands(tmp_path: Path) -> None:
    servers = ["ns-0.awsdns-00.com.", "ns-1536.awsdns-00.co.uk."]
    name_servers = {
        "Name": "example.com.",
        "Type": "NS",
        "TTL": 172800,
        "ResourceRecords": [{"Value": one} for one in servers],
    }
    private = listing(tmp_path, SOA, name_servers, name="a.json")
    public = listing(tmp_path, SOA, name="b.json")
    assert [zone.is_private for zone in zone_file.load([private, public])] == [True, False]


def test_a_file_that_is_passed_twice_is_refused(tmp_path: Path) -> None:
    path = listing(tmp_path, SOA)
    assert refusal(path, path).startswith(f"{path}: the file is passed twice")


def test_a_zone_below_another_is_taken(tmp_path: Path) -> None:
    below = {**SOA, "Name": "sub.example.com."}
    paths = [listing(tmp_path, SOA, name="a.json"), listing(tmp_path, below, name="b.json")]
    assert [zone.name for zone in zone_file.load(paths)] == ["example.com", "sub.example.com"]


def test_more_names_than_files_are_refused(tmp_path: Path) -> None:
    assert "more --zone-name than --zone" in refusal(listing(tmp_path, SOA), names=["example.com", "b"])
