"""What an upgrade of ExternalDNS and the way back would do, over the zones that releases left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from testbed.check import external_dns_upgrade, manifest_reading, rule_registry
from testbed.check.manifest_reading import Reading
from testbed.external_dns.core.facts import release_of
from testbed.releases import Named
from tests.check.manifests_of_traps import EXTERNAL_DNS, SERVICE, folder
from tests.check.traps import rules_of
from tests.external_dns.offline.planned import ALB, HOST, NLB, ingress, left_by, service, zone

STATUS = "status: {{loadBalancer: {{ingress: [{{hostname: {}}}]}}}}\n"
WEB = SERVICE.replace("api.example.com", HOST) + STATUS.format(NLB)
INGRESS = f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web}}
spec:
  rules: [{{host: {HOST}}}]
{STATUS.format(ALB)}"""
DUAL = INGRESS.replace(
    "{name: web}", "{name: web, annotations: {alb.ingress.kubernetes.io/ip-address-type: dualstack}}"
)


def found(path: Path, manifests: Sequence[str], records: Sequence[Any], old: str, new: str) -> dict[str, str]:
    loaded = manifest_reading.load([folder(path, *manifests, EXTERNAL_DNS)])
    readings = Reading.of_each(
        loaded, Named(old, "--external-dns"), zones=[zone(*records)], upgrade_to=release_of(new)
    )
    ids = rules_of(external_dns_upgrade)
    return {one.rule: one.what for one in rule_registry.check(*readings) if one.rule in ids}


def dualstack() -> dict[str, Any]:
    item = ingress()
    item["metadata"]["annotations"] = {"alb.ingress.kubernetes.io/ip-address-type": "dualstack"}
    return item


def test_the_rules_of_the_module() -> None:
    assert rules_of(external_dns_upgrade) == {
        "upgrade-parts-name",
        "upgrade-freezes-record",
        "upgrade-is-refused",
        "upgrade-cannot-delete",
        "upgrade-reads-no-annotation",
    }


def test_an_upgrade_within_a_move_over_v0_16_parts_the_families(tmp_path: Path) -> None:
    # The A is the Service's, by its TXT; of the new AAAA the smaller name decides.
    first = INGRESS.replace(ALB, "0-first.us-east-1.elb.amazonaws.com")
    what = found(tmp_path, [WEB, first], left_by("v0.15.1", [service()]), "v0.15.1", "v0.18.0")
    assert "the first syncs of the upgrade to ExternalDNS v0.18.0 part" in what["upgrade-parts-name"]


def test_an_aaaa_that_dualstack_made_before_v0_16_is_never_adopted(tmp_path: Path) -> None:
    standing = left_by("v0.15.1", [dualstack()])
    what = found(tmp_path, [DUAL], standing, "v0.15.1", "v0.21.0")
    assert f"a change of its load balancer parts {HOST}" in what["upgrade-parts-name"]
    assert f"no longer delete {HOST} AAAA" in what["upgrade-cannot-delete"]


def test_after_a_rollback_from_v0_18_to_v0_15_nothing_can_be_deleted_any_more(tmp_path: Path) -> None:
    what = found(tmp_path, [WEB], left_by("v0.18.0", [service()]), "v0.18.0", "v0.15.1")
    assert "deletes nothing of" in what["upgrade-cannot-delete"]
    assert f"a change of its load balancer parts {HOST}" in what["upgrade-parts-name"]
    assert what.keys() == {"upgrade-cannot-delete", "upgrade-parts-name"}


def test_a_release_that_reads_no_typed_txt_freezes_what_v0_18_made(tmp_path: Path) -> None:
    what = found(tmp_path, [WEB], left_by("v0.18.0", [service()]), "v0.18.0", "v0.7.5")
    assert f"A and AAAA of {HOST} no longer follow its load balancer" in what["upgrade-freezes-record"]


def test_v0_22_reads_no_annotation_of_before(tmp_path: Path) -> None:
    what = found(tmp_path, [WEB], left_by("v0.21.0", [service()]), "v0.21.0", "v0.22.0")
    assert "hostname of service/default/web" in what["upgrade-reads-no-annotation"]


def test_v0_22_does_not_start_without_a_policy(tmp_path: Path) -> None:
    loaded = manifest_reading.load(
        [folder(tmp_path, WEB, EXTERNAL_DNS.replace("            - --policy=sync\n", ""))]
    )
    readings = Reading.of_each(
        loaded,
        Named("v0.21.0", "--external-dns"),
        zones=[zone(*left_by("v0.21.0", [service()]))],
        upgrade_to=release_of("v0.22.0"),
    )
    what = [one.what for one in rule_registry.check(*readings) if one.rule == "upgrade-is-refused"]
    assert any("does not start without --policy" in one for one in what)


@pytest.mark.parametrize(("old", "new"), [("v0.18.0", "v0.20.0"), ("v0.20.0", "v0.21.0")])
def test_releases_with_the_same_decisions_have_no_trap(tmp_path: Path, old: str, new: str) -> None:
    assert found(tmp_path, [WEB], left_by(old, [service()]), old, new) == {}


def test_without_an_upgrade_nothing_is_played(tmp_path: Path) -> None:
    loaded = manifest_reading.load([folder(tmp_path, WEB, EXTERNAL_DNS)])
    readings = Reading.of_each(loaded, Named("v0.18.0", "--external-dns"), zones=[zone()])
    ids = rules_of(external_dns_upgrade)
    assert not [one for one in rule_registry.check(*readings) if one.rule in ids]
