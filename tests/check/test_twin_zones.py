from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testbed.check import manifest_reading, rule_registry, twin_zones
from testbed.check.manifest_reading import Reading
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.releases import Named
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, folder
from tests.check.traps import rules_of

RECORD = {"Name": "api.example.com.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
PUBLIC = ZoneFile(Path("public.json"), "example.com", "/hostedzone/Z1", (), title="example.com (public.json)")
PRIVATE = replace(PUBLIC, path=Path("private.json"), id="/hostedzone/Z2", title="example.com (private.json)")


def found(path: Path, *zones: Any) -> dict[str, str]:
    loaded = manifest_reading.load([folder(path, SERVICE, PLAIN, INGRESS)])
    readings = Reading.of_each(loaded, Named("v0.15.1", "--external-dns"), zones=zones)
    rules = rules_of(twin_zones)
    return {
        one.rule: f"{one.where}: {one.what}" for one in rule_registry.check(*readings) if one.rule in rules
    }


def test_two_zones_of_one_name_both_get_the_record(tmp_path: Path) -> None:
    told = found(tmp_path, PUBLIC, PRIVATE)
    assert set(told) == {"two-zones-of-one-name"}
    assert (
        "writes api.example.com into example.com (public.json) and example.com (private.json)"
        in (told["two-zones-of-one-name"])
    )


@pytest.mark.parametrize("has_it", ["public", "private"])
def test_a_record_in_one_of_them_does_not_come_into_the_other(tmp_path: Path, has_it: str) -> None:
    zones = [replace(one, records=(RECORD,)) if has_it in one.title else one for one in (PUBLIC, PRIVATE)]
    told = found(tmp_path, *zones)["record-in-one-zone-only"]
    other = "private" if has_it == "public" else "public"
    assert told.startswith(f"{other}.json: api.example.com has a record in example.com ({has_it}.json)")


def test_one_zone_of_a_name_or_one_of_another_name_is_no_trap(tmp_path: Path) -> None:
    assert found(tmp_path, replace(PUBLIC, title="")) == {}
    other = [replace(one, name="example.org") for one in (PUBLIC, PRIVATE)]
    assert found(tmp_path, *other) == {}
