"""ExternalDNS over manifests and zones: what stays from one sync to the next, and what may change between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testbed.dated_releases import EXTERNAL_DNS_RELEASES
from testbed.errors import BadInput
from testbed.external_dns.core.facts import ALPHA_PREFIX, Fact, release_of
from testbed.external_dns.core.reasons import Reason
from testbed.external_dns.offline.repeated_syncs import FIRST_SYNCS, RepeatedSyncs
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process.flags import parse
from tests.external_dns.offline.planned import (
    ALB,
    ARGUMENTS,
    FLAGS,
    HOST,
    NLB,
    VERSION,
    ingress,
    left_by,
    records,
    service,
    zone,
)


def aliases(cluster: RepeatedSyncs) -> dict[str, str]:
    return {
        one["Type"]: one["AliasTarget"]["DNSName"].rstrip(".")
        for one in cluster.records()
        if "AliasTarget" in one
    }


def started(*items: dict[str, object]) -> RepeatedSyncs:
    cluster = RepeatedSyncs(items, [zone()])
    cluster.start(FLAGS, VERSION)
    return cluster


def test_what_a_sync_makes_stands_for_the_next() -> None:
    cluster = started(service())
    first, second = cluster.first_syncs()
    assert [len(one.batches) for one in (first, second)] == [1, 0]
    assert aliases(cluster) == {"A": NLB}


def test_objects_and_releases_change_between_two_syncs() -> None:
    cluster = started(service())
    cluster.sync()
    cluster.objects.apply(ingress())
    cluster.objects.delete({"kind": "Service", "name": "web"})
    new = release_of("v0.22.0")
    arguments = ("--source=service", "--source=ingress", "--policy=sync", "--txt-owner-id=me")
    cluster.start(parse([*arguments, f"--annotation-prefix={ALPHA_PREFIX}"], new, {}), new)
    cluster.first_syncs()
    assert aliases(cluster) == {"A": ALB, "AAAA": ALB}


def test_a_record_that_is_sent_for_ever_is_given_up_after_the_first_syncs() -> None:
    item = service()
    item["metadata"]["annotations"][f"{ALPHA_PREFIX}ttl"] = "60"
    syncs = started(item).first_syncs()
    assert len(syncs) == FIRST_SYNCS
    assert syncs[-1].batches == syncs[-2].batches != ()


def test_a_copy_is_tried_on_without_a_trace() -> None:
    cluster = started(service())
    cluster.sync()
    copy = cluster.copy()
    copy.objects.delete({"kind": "Service", "name": "web"})
    copy.start(FLAGS, VERSION)
    copy.sync()
    assert (aliases(copy), aliases(cluster)) == ({}, {"A": NLB})
    assert [len(one.records()) for one in (copy, cluster)] == [0, 2]


def test_a_zone_that_is_not_empty_is_where_it_begins() -> None:
    cluster = RepeatedSyncs([service()], [zone(*records())])
    cluster.start(FLAGS, VERSION)
    assert [one.batches for one in cluster.first_syncs()] == [()]
    assert {one["Name"] for one in cluster.records()} == {f"{HOST}."}


def test_a_cname_whose_txt_goes_with_the_old_alias_is_nobodys_from_the_next_sync_on() -> None:
    release = release_of("v0.21.0")
    cluster = RepeatedSyncs([ingress()], [zone(*left_by("v0.21.0", [ingress()]))])
    cluster.start(parse(ARGUMENTS, release, {}), release)
    item = ingress()
    item["metadata"]["annotations"] = {f"{ALPHA_PREFIX}target": "stable.example.net"}
    cluster.objects.apply(item)
    first, second = cluster.sync(), cluster.sync()
    [lost] = [one for one in first.decisions if one.reason is Reason.TXT_LOST]
    assert (lost.rule, lost.subject) == (f"cname-{HOST}", f"{HOST} CNAME")
    assert "the new record is nobody's" in str(lost)
    assert [one["Type"] for one in cluster.records()] == ["CNAME"]
    assert [one.dropped for one in second.decisions] == [Reason.NO_OWNER]


@pytest.mark.parametrize(
    "affix", [(), ("--txt-prefix=txt-",), ("--txt-prefix=%{record_type}.",), ("--txt-suffix=-o",)]
)
@pytest.mark.parametrize("owner", ["", "other"])
@pytest.mark.parametrize("tag", EXTERNAL_DNS_RELEASES)
def test_a_record_follows_once_the_txts_that_its_remedy_names_are_written(
    tag: str, owner: str, affix: tuple[str, ...]
) -> None:
    release, sources = release_of(tag), ("--source=ingress", "--policy=sync", *affix)
    others, mine = (
        parse((*sources, f"--txt-owner-id={of}"), release, {}) for of in (owner or "nobody", "me")
    )
    cluster = RepeatedSyncs([ingress(balancer=NLB)], [zone()])
    cluster.start(others, release)
    cluster.first_syncs()
    written = {(one["Name"], one["Type"]): one for one in cluster.records() if owner or one["Type"] != "TXT"}
    for _ in ("A", "AAAA", "neither"):
        cluster = RepeatedSyncs([ingress()], [zone(*written.values())])
        cluster.start(mine, release)
        named = [txt for one in cluster.sync().decisions for txt in one.txts]
        if not named:
            break
        for txt in named:
            value = {"TTL": 300, "ResourceRecords": [{"Value": txt.targets[0]}]}
            written[f"{txt.name}.", "TXT"] = {"Name": f"{txt.name}.", "Type": "TXT", **value}
    can_own = release.has(Fact.TEMPLATE_TYPE_READ) or not release.has(Fact.TYPED_TXT) or "%" not in str(affix)
    assert (set(aliases(cluster).values()) == {ALB}) is can_own


PRIVATE = replace(
    zone(), path=Path("private.json"), id="/hostedzone/ZP", is_private=True, title="the private one"
)
PUBLIC = replace(zone(), id="/hostedzone/ZA", title="the public one")


def two_zones(items: list[dict[str, Any]], *zones: ZoneFile, more: tuple[str, ...] = ()) -> RepeatedSyncs:
    cluster = RepeatedSyncs(items, zones)
    cluster.start(parse((*ARGUMENTS, *more), VERSION, {}), VERSION)
    return cluster


def test_both_zones_of_one_name_get_each_record_and_lose_it() -> None:
    cluster = two_zones([ingress()], PUBLIC, PRIVATE)
    assert {batch.zone for batch in cluster.sync().batches} == {"the public one", "the private one"}
    public, private = cluster.by_zone().values()
    assert [one["Type"] for one in public] == ["A", "TXT"]
    assert public == private
    cluster.objects.delete({"kind": "Ingress", "namespace": "default", "name": "web"})
    cluster.first_syncs()
    assert cluster.records() == []


def test_a_record_that_one_of_two_zones_has_never_comes_into_the_other() -> None:
    cluster = two_zones([service()], replace(PUBLIC, records=records()), PRIVATE)
    assert all(not sync.batches for sync in cluster.first_syncs())
    assert not cluster.by_zone()["the private one"]


@pytest.mark.parametrize("flag", ["--aws-zone-type=public", "--zone-id-filter=Z1", "--aws-zone-tags=a=b"])
def test_a_flag_that_chooses_between_two_zones_of_one_name_is_refused(flag: str) -> None:
    with pytest.raises(BadInput, match=r"chooses between two hosted zones example\.com"):
        two_zones([service()], PUBLIC, PRIVATE, more=(flag,))
    two_zones([service()], zone(), more=(flag,))


def test_a_of_one_zone_and_aaaa_of_another_do_not_part_a_name() -> None:
    of_public = records()[0]
    of_private = {**records()[0], "Type": "AAAA"}
    of_private["AliasTarget"] = {**of_private["AliasTarget"], "DNSName": f"{ALB}."}
    zones = replace(PUBLIC, records=[of_public]), replace(PRIVATE, records=[of_private])
    assert two_zones([], *zones).parted() == ()
