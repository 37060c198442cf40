from __future__ import annotations

import pytest
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st

from testbed.dns.domain_names import labels_of
from testbed.dns.hosted_zone import HostedZone, RecordSet, Value, Zones, balancer_zone
from testbed.errors import BadInput
from tests.dns.zones_of_route53 import ALB, LABELS, NLB, alias, record


def zone(*records: dict[str, object], name: str = "example.com.") -> HostedZone:
    return HostedZone.of("Z1", name, map(RecordSet.of, records))


def test_a_record_set_is_read_as_the_api_returns_it() -> None:
    weighted = RecordSet.of(record("A.example.com.", "A", "10.0.0.1", SetIdentifier="a", Weight=0))
    assert weighted.name == (b"a", b"example", b"com")
    assert (weighted.type, weighted.ttl, weighted.weight) == (RdataType.A, 300, 0)
    assert weighted.values == (Value("10.0.0.1", bytes([10, 0, 0, 1])),)
    pointing = RecordSet.of(alias("a.example.com.", NLB, health=True))
    assert pointing.alias
    assert pointing.alias.target == labels_of(NLB)
    assert pointing.alias.evaluates_health
    assert pointing.values == ()


@pytest.mark.parametrize(
    "item",
    [
        record("a.example.com.", "A", "10.0.0.256"),
        record("a.example.com.", "NONE_SUCH", "x"),
        record(f"{'a' * 64}.example.com.", "A", "10.0.0.1"),
    ],
)
def test_a_record_that_dns_cannot_carry_is_named(item: dict[str, object]) -> None:
    with pytest.raises(BadInput, match=rf"record {item['Name']} {item['Type']} cannot be served: "):
        RecordSet.of(item)


def test_values_know_the_target_of_a_cname_and_the_minimum_of_an_soa() -> None:
    assert Value.of(RdataType.CNAME, "B.example.com").target == (b"b", b"example", b"com")
    assert Value.of(RdataType.SOA, "ns.example.com. a.example.com. 1 7200 900 1209600 86400").minimum == 86400


def test_a_zone_without_soa_and_ns_gets_those_of_a_new_zone() -> None:
    empty = zone()
    assert empty.soa.values[0].minimum == 86400
    assert len(empty.ns.values) == 4
    own = zone(record("example.com.", "NS", "ns.example.net.", ttl=60))
    assert [value.text for value in own.ns.values] == ["ns.example.net."]


def test_a_zone_has_the_empty_names_between_and_no_records_of_others() -> None:
    served = zone(record("a.b.example.com.", "A", "10.0.0.1"), record("a.example.org.", "A", "10.0.0.1"))
    assert labels_of("b.example.com.") in served.names
    assert labels_of("b.example.com.") not in served.nodes
    assert labels_of("a.example.org.") not in served.nodes


@given(st.lists(LABELS, max_size=5))
def test_every_name_between_a_record_and_the_apex_exists(names: list[list[str]]) -> None:
    served = zone(*(record(".".join((*labels, "example.com.")), "A", "10.0.0.1") for labels in names))
    for name in served.nodes:
        assert all(name[index:] in served.names for index in range(len(name) - 1))
    assert all(name[-2:] == served.name for name in served.names)


def test_the_zone_with_the_longest_name_contains_a_name() -> None:
    zones = Zones.of([zone(), zone(name="eu.example.com."), HostedZone.of("Z2", "example.com.", ())])
    assert zones.find(labels_of("a.eu.example.com.")) is zones.by_name[labels_of("eu.example.com.")]
    beside = zones.find(labels_of("eu2.example.com."))
    assert beside
    assert beside.id == "Z1", "of two zones of one name the first counts"
    assert zones.find(labels_of("example.org.")) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [(NLB, "elb.ap-northeast-1.amazonaws.com."), (ALB, "ap-northeast-1.elb.amazonaws.com.")],
)
def test_the_name_of_a_balancer_is_in_a_zone_of_its_region(name: str, expected: str) -> None:
    assert balancer_zone(labels_of(name)).name == labels_of(expected)
