"""Which hosted zones are looked at."""

from __future__ import annotations

import pytest

from testbed.external_dns.provider.domain_filter import DomainFilter
from testbed.external_dns.provider.hosted_zone_filter import Zone, ZoneFilter, suitable

PUBLIC = Zone("/hostedzone/Z1", "example.com")
PRIVATE = Zone("/hostedzone/Z2", "example.com", is_private=True)
CHILD = Zone("/hostedzone/Z3", "app.example.com")


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (ZoneFilter(), [PUBLIC, PRIVATE, CHILD]),
        (ZoneFilter(kind="public"), [PUBLIC, CHILD]),
        (ZoneFilter(kind="private"), [PRIVATE]),
        (ZoneFilter(ids=("Z2", "/hostedzone/Z3")), [PRIVATE, CHILD]),
        (ZoneFilter(ids=("",)), [PUBLIC, PRIVATE, CHILD]),
        (ZoneFilter(DomainFilter(("app.example.com",))), [CHILD]),
        (ZoneFilter(DomainFilter(("app.example.com",)), parents=True), [PUBLIC, PRIVATE, CHILD]),
        (ZoneFilter(DomainFilter((".app.example.com",)), parents=True), []),
        (ZoneFilter(DomainFilter((), ("app.example.com",)), parents=True), [PUBLIC, PRIVATE]),
    ],
)
def test_a_filter_takes_zones(wanted: ZoneFilter, taken: list[Zone]) -> None:
    assert [zone for zone in (PUBLIC, PRIVATE, CHILD) if wanted.takes(zone)] == taken


def test_all_tags_must_be_there() -> None:
    tags = {"owner": "k8s", "stage": "prod"}
    for wanted, taken in ((("owner=k8s", "stage"), True), (("owner=me",), False), (("team",), False)):
        assert ZoneFilter(tags=wanted).takes_tags(tags) is taken


def test_a_name_goes_to_every_private_zone_and_to_the_nearest_public_one() -> None:
    assert suitable("web.app.example.com", [PUBLIC, PRIVATE, CHILD]) == [PRIVATE, CHILD]
    assert suitable("Web.Example.com", [PUBLIC]) == []
