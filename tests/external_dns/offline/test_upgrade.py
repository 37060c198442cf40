"""An upgrade and the way back over one zone: the effects that were seen with the real binaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from testbed.external_dns.core.facts import ALPHA_PREFIX, release_of
from testbed.external_dns.offline.upgrade import Upgrade, upgrade
from tests.external_dns.offline.planned import ALB, ARGUMENTS, HOST, NLB, ingress, left_by, service, zone

Item = dict[str, Any]


def upgraded(items: Sequence[Item], records: Sequence[Any], old: str, new: str) -> Upgrade:
    return upgrade(items, [zone(*records)], ARGUMENTS, release_of(old), release_of(new))


def test_an_upgrade_over_v0_16_adds_aaaa_and_a_settled_zone_sends_nothing_before() -> None:
    found = upgraded([service()], left_by("v0.14.2", [service()]), "v0.14.2", "v0.16.1")
    assert [one.batches for one in found.before.syncs] == [()]
    added = [change["ResourceRecordSet"] for change in found.there.syncs[0].batches[0].changes]
    assert ("AAAA", NLB) in {(one["Type"], one.get("AliasTarget", {}).get("DNSName")) for one in added}
    assert not found.there.repeats
    assert found.there.parted == ()


def test_a_way_back_during_a_move_parts_the_families_and_repeats_for_ever() -> None:
    found = upgraded([ingress()], left_by("v0.21.0", [service()]), "v0.21.0", "v0.14.2")
    assert found.before.parted == ()
    [parted] = found.there.parted
    assert (parted.name, parted.ipv4, parted.ipv6) == (HOST, ALB, NLB)
    assert found.there.repeats
    assert len(found.there.syncs[-1].batches[0].changes) == 3


def test_after_a_way_back_over_v0_18_nothing_can_be_deleted_any_more() -> None:
    found = upgraded([service()], left_by("v0.18.0", [service()]), "v0.18.0", "v0.15.1")
    assert found.there.undeletable_at_once == (f"{HOST} A", f"{HOST} AAAA")
    assert found.there.undeletable == (f"{HOST} AAAA",)
    assert found.back.undeletable == ()


def test_an_aaaa_of_dualstack_is_never_adopted() -> None:
    item = ingress()
    item["metadata"]["annotations"] = {"alb.ingress.kubernetes.io/ip-address-type": "dualstack"}
    standing = left_by("v0.15.1", [item])
    assert {(one["Type"], "AliasTarget" in one) for one in standing} >= {("A", True), ("AAAA", True)}
    found = upgraded([item], standing, "v0.15.1", "v0.18.0")
    assert [one.subject for one in found.there.frozen] == [f"{HOST} AAAA"]
    assert found.there.undeletable == (f"{HOST} AAAA",)


def test_annotations_that_v0_22_no_longer_reads_are_named_with_their_object() -> None:
    found = upgraded([service()], left_by("v0.21.0", [service()]), "v0.21.0", "v0.22.0")
    assert found.there.unread == (f"{ALPHA_PREFIX}hostname of service/default/web",)
    assert {one["Action"] for one in found.there.syncs[0].batches[0].changes} == {"DELETE"}
    assert found.back.unread == ()


def test_two_releases_with_the_same_decisions_change_nothing() -> None:
    found = upgraded([service()], left_by("v0.18.0", [service()]), "v0.18.0", "v0.20.0")
    for leg in (found.there, found.back):
        assert [one.batches for one in leg.syncs] == [()]
        assert (leg.refusals, leg.parted, leg.frozen, leg.undeletable, leg.repeats) == ((), (), (), (), False)


def test_one_lost_ownership_txt_parts_a_from_aaaa_at_the_next_move() -> None:
    standing = [one for one in left_by("v0.20.0", [service()]) if not one["Name"].startswith("aaaa-")]
    found = upgraded([ingress()], standing, "v0.20.0", "v0.21.0")
    [parted] = found.there.parted
    assert (parted.ipv4, parted.ipv6) == (ALB, NLB)
    assert [one.subject for one in found.there.frozen] == [f"{HOST} AAAA"]
