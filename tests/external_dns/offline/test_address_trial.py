"""Every balancer gets another address: what follows, and what stays, over the zones that releases left."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.external_dns.core.facts import release_of
from testbed.external_dns.offline.address_trial import OTHERS, AddressTrial, try_other_addresses
from testbed.external_dns.offline.repeated_syncs import RepeatedSyncs
from testbed.external_dns.process.flags import parse
from tests.external_dns.offline.planned import ARGUMENTS, HOST, NLB, ingress, left_by, service, zone

RELEASES = ["v0.12.2", "v0.14.2", "v0.15.1", "v0.16.1", "v0.18.0", "v0.20.0", "v0.21.0"]


def tried(release: str, records: list[Any], *items: Any) -> AddressTrial:
    flags = parse(ARGUMENTS, release_of(release), {})
    return try_other_addresses(items or [service()], [zone(*records)], flags, release_of(release))


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("item", [service, ingress])
def test_what_a_release_made_itself_follows(release: str, item: Any) -> None:
    found = tried(release, list(left_by(release, [item()])), item())
    assert found == AddressTrial((), {}, (), frozenset({HOST}))


@pytest.mark.parametrize("release", RELEASES)
def test_what_it_reads_no_txt_of_stays(release: str) -> None:
    records = [one for one in left_by(release, [service()]) if one["Type"] != "TXT"]
    assert set(tried(release, records).staying) == {HOST}


def test_of_a_pair_with_one_owner_one_follows() -> None:
    records = [one for one in left_by("v0.21.0", [service()]) if not one["Name"].startswith("aaaa-")]
    [parted] = tried("v0.21.0", records).parted
    assert (parted.name, parted.ipv4, parted.ipv6) == (HOST, OTHERS[0], NLB)


def test_the_listing_is_not_changed() -> None:
    records = list(left_by("v0.18.0", [service()]))
    before = repr(records)
    tried("v0.18.0", records)
    assert repr(records) == before


ADDRESSES = [{"hostname": "nginx.example.net"}, {"ip": "192.0.2.7"}, {"hostname": NLB}]
MORE = [
    (),
    ("--txt-prefix=txt-",),
    ("--txt-suffix=-own",),
    ("--exclude-record-types=AAAA",),
    ("--registry=noop",),
]


# Before v0.18 a CNAME without a prefix is refused in any case: its TXT would have the same name.
@pytest.mark.parametrize("release", ["v0.18.0", "v0.21.0"])
@pytest.mark.parametrize("address", ADDRESSES, ids=str)
@pytest.mark.parametrize("more", MORE, ids=str)
def test_an_address_of_any_kind_moves_to_another_of_its_kind(
    release: str, address: dict[str, str], more: tuple[str, ...]
) -> None:
    item = {**service(), "status": {"loadBalancer": {"ingress": [address]}}}
    played = release_of(release)
    flags = parse((*ARGUMENTS, *more), played, {})
    cluster = RepeatedSyncs([item], [zone()])
    cluster.start(flags, played)
    cluster.first_syncs()
    found = try_other_addresses([item], cluster.zones(), flags, played)
    assert found == AddressTrial((), {}, (), frozenset({HOST}))


def test_claimants_of_two_kinds_are_no_trouble_of_the_records() -> None:
    other = {**ingress(), "status": {"loadBalancer": {"ingress": [{"hostname": "nginx.example.net"}]}}}
    found = tried("v0.18.0", list(left_by("v0.18.0", [service()])), service(), other)
    assert (found.parted, found.staying, found.refusals) == ((), {}, ())
