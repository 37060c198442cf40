"""A name whose A and AAAA lead to two balancers is an error, as the zone is and as the next syncs make it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from testbed.check import manifest_reading, rule_registry, zone_records
from testbed.check.findings import Finding, Severity
from testbed.check.manifest_reading import Reading
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.releases import Named
from tests.check.manifests_of_traps import EXTERNAL_DNS, INGRESS, PLAIN, SERVICE, folder
from tests.check.traps import rules_of

HOST = "api.example.com"
NLB, ALB = "a0-0123456789abcdef.elb.us-east-1.amazonaws.com", "k8s-web-1.us-east-1.elb.amazonaws.com"
STATUS = 'status: {{loadBalancer: {{ingress: [{{hostname: "{}"}}]}}}}\n'
STANDING = (SERVICE + STATUS.format(NLB), PLAIN, INGRESS + STATUS.format(ALB), EXTERNAL_DNS)


def alias(kind: str, target: str) -> dict[str, Any]:
    target_of = {"DNSName": f"{target}.", "HostedZoneId": "Z", "EvaluateTargetHealth": True}
    return {"Name": f"{HOST}.", "Type": kind, "AliasTarget": target_of}


def txt(name: str) -> dict[str, Any]:
    value = '"heritage=external-dns,external-dns/owner=me,external-dns/resource=service/default/web"'
    return {"Name": f"{name}.", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": value}]}


def found(
    path: Path,
    manifests: tuple[str, ...],
    version: str,
    *records: Any,
    rules: Collection[str] = ("one-name-two-balancers",),
) -> list[Finding]:
    loaded = manifest_reading.load([folder(path, *manifests)])
    zone = ZoneFile(Path("zone.json"), "example.com", "/hostedzone/Z", records)
    readings = Reading.of_each(loaded, Named(version, "--external-dns"), zones=[zone] if records else ())
    return [one for one in rule_registry.check(*readings) if one.rule in rules]


TRIED = {"family-left-behind", "record-does-not-follow", "zone-refuses-batch", "zone-not-tried"}


def test_the_rules_of_the_module() -> None:
    assert rules_of(zone_records) == {"one-name-two-balancers", *TRIED}


def test_a_zone_whose_families_part_is_an_error_at_the_listing(tmp_path: Path) -> None:
    [one] = found(tmp_path, STANDING, "v0.18.0", alias("A", NLB), alias("AAAA", ALB))
    assert (str(one.where), one.severity) == ("zone.json", Severity.ERROR)
    assert f"{HOST}: A leads to {NLB}, AAAA to {ALB}" in one.what


def test_without_a_listing_and_with_one_balancer_there_is_none(tmp_path: Path) -> None:
    assert found(tmp_path / "a", STANDING, "v0.18.0") == []
    assert found(tmp_path / "b", STANDING, "v0.14.2", alias("A", NLB), txt(HOST)) == []


def test_an_aaaa_that_the_next_syncs_would_put_on_the_other_balancer_is_told(tmp_path: Path) -> None:
    # The A is the Service's, by its TXT; the ALB's name sorts first, and a new AAAA goes there.
    other = "a-k8s-1.us-east-1.elb.amazonaws.com"
    standing = (STANDING[0], PLAIN, INGRESS + STATUS.format(other), EXTERNAL_DNS)
    records = (alias("A", NLB), txt(HOST), txt(f"cname-{HOST}"))
    [one] = found(tmp_path / "a", standing, "v0.18.0", *records)
    assert f"the next syncs of ExternalDNS v0.18.0 part {HOST}: A leads to {NLB}, AAAA to {other}" in one.what
    # Without addresses a sync would find no claims, so nothing is said of it.
    assert found(tmp_path / "b", (SERVICE, PLAIN, INGRESS, EXTERNAL_DNS), "v0.18.0", *records) == []


ALONE = (STANDING[0], EXTERNAL_DNS)


def tried(path: Path, manifests: tuple[str, ...], version: str, *records: Any) -> dict[str, str]:
    return {one.rule: one.what for one in found(path, manifests, version, *records, rules=TRIED)}


@pytest.mark.parametrize("version", ["v0.14.2", "v0.15.1", "v0.21.0"])
def test_one_lost_ownership_record_parts_the_families_at_the_next_move(tmp_path: Path, version: str) -> None:
    both = (alias("A", NLB), alias("AAAA", NLB))
    what = tried(tmp_path / "a", ALONE, version, *both, txt(f"cname-{HOST}"))
    assert what.keys() == {"family-left-behind"}
    assert f"of {HOST} changes, its A record follows and its AAAA record stays" in what["family-left-behind"]
    cause = "no TXT that" if version == "v0.21.0" else "takes no AAAA alias for a record of its own"
    assert cause in what["family-left-behind"]


@pytest.mark.parametrize("version", ["v0.16.1", "v0.18.0", "v0.21.0"])
def test_with_both_ownership_records_both_families_follow(tmp_path: Path, version: str) -> None:
    records = (alias("A", NLB), alias("AAAA", NLB), txt(f"cname-{HOST}"), txt(f"aaaa-{HOST}"))
    assert tried(tmp_path, ALONE, version, *records) == {}


@pytest.mark.parametrize("version", ["v0.16.1", "v0.18.0"])
def test_releases_that_keep_a_pair_together_leave_both_behind(tmp_path: Path, version: str) -> None:
    what = tried(tmp_path, ALONE, version, alias("A", NLB), alias("AAAA", NLB), txt(f"cname-{HOST}"))
    assert what.keys() == {"record-does-not-follow"}
    assert "its A and AAAA records stay as before" in what["record-does-not-follow"]


@pytest.mark.parametrize("version", ["v0.18.0", "v0.21.0"])
def test_the_remedy_names_the_txt_that_is_missing(tmp_path: Path, version: str) -> None:
    records = (alias("A", NLB), alias("AAAA", NLB), txt(f"cname-{HOST}"))
    remedies = [one.do for one in found(tmp_path, ALONE, version, *records, rules=TRIED)]
    [value] = txt(HOST)["ResourceRecords"]
    assert [f"before the move write aaaa-{HOST} TXT " in one for one in remedies] == [True]
    assert value["Value"].split(",")[1] in remedies[0]


def test_a_record_without_a_txt_of_its_owner_does_not_follow(tmp_path: Path) -> None:
    foreign = txt(f"cname-{HOST}")
    foreign["ResourceRecords"] = [{"Value": foreign["ResourceRecords"][0]["Value"].replace("=me", "=you")}]
    what = tried(tmp_path, ALONE, "v0.15.1", alias("A", NLB), foreign)
    assert "its A record stays as before" in what["record-does-not-follow"]


def test_a_name_without_a_record_is_made_and_nothing_is_said(tmp_path: Path) -> None:
    soa = {"Name": "example.com.", "Type": "SOA", "TTL": 900, "ResourceRecords": [{"Value": "a b 1 1 1 1 1"}]}
    assert tried(tmp_path, ALONE, "v0.15.1", soa) == {}


def test_a_txt_that_was_left_behind_blocks_the_batch_of_old_releases(tmp_path: Path) -> None:
    what = tried(tmp_path / "a", ALONE, "v0.15.1", txt(HOST))
    assert "already exists" in what["zone-refuses-batch"]
    assert tried(tmp_path / "b", ALONE, "v0.20.0", txt(f"cname-{HOST}")) == {}


def test_a_record_that_another_deployment_among_the_manifests_moves_is_nobodys_trouble(
    tmp_path: Path,
) -> None:
    other = EXTERNAL_DNS.replace("{name: external-dns}", "{name: other}").replace("id=me", "id=you")
    both = (*ALONE, other)
    assert tried(tmp_path, both, "v0.15.1", alias("A", NLB), txt(HOST), txt(f"cname-{HOST}")) == {}


def test_what_could_not_be_tried_is_said(tmp_path: Path) -> None:
    without = tried(tmp_path / "a", (STANDING[0],), "v0.18.0", alias("A", NLB))
    assert "its flags are not known" in without["zone-not-tried"]
    bare = tried(tmp_path / "b", (SERVICE, EXTERNAL_DNS), "v0.18.0", alias("A", NLB))
    assert "Service default/web has no address in its status" in bare["zone-not-tried"]
    assert "record-does-not-follow" in bare, "a move needs no present address"


def test_under_create_only_nothing_is_expected_to_follow(tmp_path: Path) -> None:
    frozen = EXTERNAL_DNS.replace("--policy=sync", "--policy=create-only")
    assert tried(tmp_path, (STANDING[0], frozen), "v0.18.0", alias("A", NLB)) == {}
