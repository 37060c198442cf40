from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st

from testbed.dns.domain_names import labels_of
from testbed.dns.hosted_zone import HostedZone, RecordSet, Zones
from testbed.dns.route53_answers import Question, Surroundings, answer
from tests.dns.zones_of_route53 import (
    ADDRESSES,
    ALB,
    ANY_RECORD,
    LABELS,
    NAMES,
    NLB,
    alias,
    around,
    ask,
    record,
    values,
    zones,
)


def test_an_alias_answers_with_the_balancers_addresses_and_its_ttl() -> None:
    given = ask(zones(alias("api.example.com.", f"{NLB}.")), "api.example.com")
    assert values(given) == sorted(ADDRESSES[NLB])
    assert given.answers[0].ttl == 60
    assert given.is_authoritative


def test_the_zones_servers_stand_beside_an_answer_to_a_resolver() -> None:
    served = zones(alias("api.example.com.", NLB))
    assert ask(served, "api.example.com", recursive=False).authority[0].type == RdataType.NS
    assert ask(served, "api.example.com").authority == ()


def test_an_alias_finds_the_balancer_in_any_spelling() -> None:
    given = ask(zones(alias("API.example.com.", f"dualstack.{ALB.upper()}.")), "api.EXAMPLE.com")
    assert values(given) == sorted(ADDRESSES[ALB])


def test_an_aaaa_alias_to_a_balancer_without_ipv6_has_no_data() -> None:
    served = zones(alias("api.example.com.", NLB), alias("api.example.com.", NLB, "AAAA"))
    given = ask(served, "api.example.com", "AAAA")
    assert (given.rcode, given.answers) == (Rcode.NOERROR, ())
    assert given.authority[0].type == RdataType.SOA
    six = Surroundings(balancer_addresses=lambda _: ("10.0.0.1", "2001:db8::1"))
    assert values(ask(served, "api.example.com", "AAAA", six)) == ["2001:db8::1"]
    assert values(ask(served, "api.example.com", "A", six)) == ["10.0.0.1"]


def test_an_alias_to_a_balancer_that_is_gone_has_no_data() -> None:
    given = ask(
        zones(alias("api.example.com.", "gone-1.elb.ap-northeast-1.amazonaws.com.")), "api.example.com"
    )
    assert (given.rcode, given.answers) == (Rcode.NOERROR, ())


def test_an_alias_to_another_record_has_that_records_values_and_ttl() -> None:
    served = zones(
        alias("a.example.com.", "b.example.com."), record("b.example.com.", "A", "10.0.0.1", ttl=17)
    )
    given = ask(served, "a.example.com")
    assert values(given) == ["10.0.0.1"]
    assert given.answers[0].ttl == 17
    assert given.answers[0].name is None


def test_aliases_in_a_circle_have_no_data() -> None:
    served = zones(
        alias("a.example.com.", "b.example.com."), alias("b.example.com.", "a.example.com.", health=True)
    )
    assert ask(served, "a.example.com").answers == ()


def test_a_balancer_is_known_by_its_own_name() -> None:
    given = ask(zones(), NLB.upper())
    assert values(given) == sorted(ADDRESSES[NLB])
    assert given.answers[0].ttl == 60
    assert ask(zones(), NLB, "AAAA").rcode == Rcode.NOERROR
    gone = ask(zones(), f"x.{NLB}")
    assert gone.rcode == Rcode.NXDOMAIN
    assert (gone.authority[0].type, gone.authority[0].ttl) == (RdataType.SOA, 60)


def test_cnames_are_followed_within_the_zone() -> None:
    served = zones(
        record("a.example.com.", "CNAME", "b.example.com"),
        record("b.example.com.", "CNAME", "c.example.com"),
        record("c.example.com.", "A", "10.0.0.1"),
    )
    given = ask(served, "a.example.com", recursive=False)
    assert [records.type for records in given.answers] == [RdataType.CNAME, RdataType.CNAME, RdataType.A]
    assert [records.name for records in given.answers] == [
        None,
        labels_of("b.example.com"),
        labels_of("c.example.com"),
    ]
    assert len(ask(served, "a.example.com", "CNAME").answers) == 1


def test_a_cname_to_a_balancer_is_followed_for_recursive_questions() -> None:
    served = zones(record("api.example.com.", "CNAME", NLB))
    assert values(ask(served, "api.example.com")) == sorted([*ADDRESSES[NLB], f"{NLB}."])
    assert values(ask(served, "api.example.com", recursive=False)) == [f"{NLB}."]


def test_a_cname_to_nowhere_says_so() -> None:
    served = zones(
        record("in.example.com.", "CNAME", "none.example.com"),
        record("out.example.com.", "CNAME", "example.org"),
    )
    inside = ask(served, "in.example.com")
    assert (inside.rcode, len(inside.answers)) == (Rcode.NXDOMAIN, 1)
    outside = ask(served, "out.example.com")
    assert (outside.rcode, len(outside.answers)) == (Rcode.NOERROR, 1)


def test_cnames_in_a_circle_end() -> None:
    served = zones(
        record("a.example.com.", "CNAME", "b.example.com"), record("b.example.com.", "CNAME", "a.example.com")
    )
    assert len(ask(served, "a.example.com").answers) <= 16


def test_a_negative_answer_has_the_soa_with_the_negative_ttl() -> None:
    served = zones(record("a.b.example.com.", "A", "10.0.0.1"))
    for name, kind, rcode in (
        ("no.example.com", "A", Rcode.NXDOMAIN),
        ("a.b.example.com", "AAAA", Rcode.NOERROR),
        ("b.example.com", "A", Rcode.NOERROR),  # an empty name between
        ("example.com", "A", Rcode.NOERROR),
    ):
        given = ask(served, name, kind)
        assert (given.rcode, given.answers) == (rcode, ())
        assert (given.authority[0].type, given.authority[0].ttl) == (RdataType.SOA, 900)


def test_names_outside_the_zones_and_transfers_are_refused() -> None:
    assert ask(zones(), "example.org").rcode == Rcode.REFUSED
    assert ask(zones(), "notexample.com").rcode == Rcode.REFUSED
    assert ask(zones(), "example.com", "AXFR").rcode == Rcode.REFUSED
    assert not ask(zones(), "example.org").is_authoritative


def test_the_zone_of_the_longest_name_answers() -> None:
    both = Zones.of(
        [
            HostedZone.of(
                "Z1", "example.com.", [RecordSet.of(record("a.sub.example.com.", "A", "10.0.0.1"))]
            ),
            HostedZone.of(
                "Z2", "sub.example.com.", [RecordSet.of(record("a.sub.example.com.", "A", "10.0.0.2"))]
            ),
        ]
    )
    assert values(ask(both, "a.sub.example.com")) == ["10.0.0.2"]


def test_below_a_delegation_there_is_a_referral() -> None:
    served = zones(record("sub.example.com.", "NS", "ns.elsewhere.net."))
    given = ask(served, "a.sub.example.com")
    assert (given.rcode, given.answers, given.is_authoritative) == (Rcode.NOERROR, (), False)
    assert given.authority[0].name == labels_of("sub.example.com")


def test_a_new_zone_has_soa_and_ns() -> None:
    assert "awsdns-hostmaster" in values(ask(zones(), "example.com", "SOA"))[0]
    assert len(values(ask(zones(), "example.com", "NS"))) == 4
    own = zones(record("example.com.", "SOA", "ns.x. host.x. 1 2 3 4 30", ttl=60))
    assert ask(own, "no.example.com").authority[0].ttl == 30


def test_text_records_keep_their_strings_and_octal_escapes() -> None:
    served = zones(record("t.example.com.", "TXT", '"a b" "c\\"d"', '"\\303\\274"'))
    assert values(ask(served, "t.example.com", "TXT")) == ['"\\195\\188"', '"a b" "c\\"d"']


def test_any_gives_all_types() -> None:
    served = zones(record("a.example.com.", "A", "10.0.0.1"), record("a.example.com.", "TXT", '"x"'))
    assert values(ask(served, "a.example.com", "ANY")) == ['"x"', "10.0.0.1"]


# --- wildcards -----------------------------------------------------------------------------------------


def test_a_wildcard_answers_under_the_name_that_was_asked() -> None:
    served = zones(record("\\052.example.com.", "A", "10.0.0.1"))
    assert values(ask(served, "a.example.com")) == ["10.0.0.1"]
    assert values(ask(served, "a.b.example.com")) == ["10.0.0.1"]
    assert values(ask(served, "*.example.com")) == ["10.0.0.1"]
    assert ask(served, "a.example.com").answers[0].name is None
    assert ask(served, "a.example.com", "TXT").rcode == Rcode.NOERROR
    assert ask(served, "example.com").answers == ()


def test_a_name_that_exists_hides_the_wildcard_for_itself_and_below() -> None:
    served = zones(record("*.example.com.", "A", "10.0.0.1"), record("a.example.com.", "TXT", '"x"'))
    assert ask(served, "a.example.com").answers == ()
    assert ask(served, "b.a.example.com").rcode == Rcode.NXDOMAIN


def wildcard_by_the_book(names: set[tuple[str, ...]], asked: tuple[str, ...]) -> tuple[str, ...] | None:
    """RFC 4592 read plainly: the owner whose records answer, () for an empty name, None for NXDOMAIN."""
    existing = {name[index:] for name in names for index in range(len(name) + 1)} | {()}
    if asked in existing:
        return asked if asked in names else ()
    encloser = next(asked[index:] for index in range(1, len(asked) + 1) if asked[index:] in existing)
    return ("*", *encloser) if ("*", *encloser) in names else None


@given(st.sets(LABELS.filter(bool).map(tuple), max_size=6), LABELS.filter(bool).map(tuple))
def test_the_closest_encloser_decides_over_the_wildcard(
    names: set[tuple[str, ...]], asked: tuple[str, ...]
) -> None:
    addresses = {name: f"10.0.0.{index}" for index, name in enumerate(sorted(names))}
    served = zones(*(record(".".join((*name, "example.com.")), "A", addresses[name]) for name in names))
    given_answer = ask(served, ".".join((*asked, "example.com")))
    owner = wildcard_by_the_book(names, asked)
    assert values(given_answer) == ([addresses[owner]] if owner else [])
    assert (given_answer.rcode == Rcode.NXDOMAIN) == (owner is None)


# --- weights and health --------------------------------------------------------------------------------


def weighted(*weights: int, health: bool = False) -> Zones:
    names = [NLB, ALB]
    return zones(
        *(
            alias("api.example.com.", names[index], SetIdentifier=str(index), Weight=weight, health=health)
            for index, weight in enumerate(weights)
        )
    )


def shares(served: Zones, surroundings: Surroundings, rounds: int = 2000) -> dict[str, float]:
    counted: Counter[str] = Counter()
    for _ in range(rounds):
        chosen = values(ask(served, "api.example.com", surroundings=surroundings))
        counted["nlb" if chosen[0] in ADDRESSES[NLB] else "alb"] += 1
    return {name: count / rounds for name, count in counted.items()}


def test_weights_give_their_share_of_the_answers() -> None:
    result = shares(weighted(90, 10), around(chance=random.Random(1)))
    assert result["alb"] == pytest.approx(0.1, abs=0.03)


def test_the_same_seed_gives_the_same_answers() -> None:
    first, second = (
        [values(ask(weighted(1, 1), "api.example.com", surroundings=one)) for _ in range(50)]
        for one in (around(chance=random.Random(3)), around(chance=random.Random(3)))
    )
    assert first == second


def test_a_weight_of_nothing_is_never_chosen_unless_all_are_nothing() -> None:
    assert shares(weighted(1, 0), around(chance=random.Random(1))) == {"nlb": 1.0}
    assert shares(weighted(0, 0), around(chance=random.Random(1)))["alb"] == pytest.approx(0.5, abs=0.05)


def test_an_unhealthy_target_is_left_out_where_its_health_is_evaluated() -> None:
    no_nlb = around(chance=random.Random(1), is_healthy=lambda name: name != NLB)
    assert shares(weighted(90, 10, health=True), no_nlb) == {"alb": 1.0}
    assert shares(weighted(90, 10), no_nlb)["nlb"] == pytest.approx(0.9, abs=0.03)
    assert shares(weighted(100, 0, health=True), no_nlb) == {"alb": 1.0}


def test_if_all_are_unhealthy_all_are_answered() -> None:
    nobody = around(chance=random.Random(1), is_healthy=lambda _: False)
    assert shares(weighted(90, 10, health=True), nobody)["alb"] == pytest.approx(0.1, abs=0.03)
    assert values(
        ask(zones(alias("api.example.com.", NLB, health=True)), "api.example.com", surroundings=nobody)
    )


def test_failover_answers_with_the_secondary_only_while_the_primary_is_unhealthy() -> None:
    served = zones(
        alias("api.example.com.", ALB, SetIdentifier="1", Failover="SECONDARY"),
        alias("api.example.com.", NLB, SetIdentifier="2", Failover="PRIMARY", health=True),
    )
    assert values(ask(served, "api.example.com")) == sorted(ADDRESSES[NLB])
    no_nlb = around(is_healthy=lambda name: name != NLB)
    assert values(ask(served, "api.example.com", surroundings=no_nlb)) == sorted(ADDRESSES[ALB])


def test_multivalue_answers_with_up_to_eight_healthy_records() -> None:
    records = [
        record(
            "m.example.com.",
            "A",
            f"10.0.0.{n}",
            SetIdentifier=str(n),
            MultiValueAnswer=True,
            HealthCheckId=str(n),
        )
        for n in range(10)
    ]
    assert len(values(ask(zones(*records), "m.example.com"))) == 8
    three = around(is_healthy=lambda check: check in ("1", "2", "3"))
    assert values(ask(zones(*records), "m.example.com", surroundings=three)) == [
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.3",
    ]


def test_several_addresses_come_in_changing_order() -> None:
    served, chance = zones(alias("api.example.com.", NLB)), around(chance=random.Random(1))
    firsts = {
        ask(served, "api.example.com", surroundings=chance).answers[0].values[0].text for _ in range(50)
    }
    assert firsts == set(ADDRESSES[NLB])


# --- anything ------------------------------------------------------------------------------------------


@given(st.lists(ANY_RECORD, max_size=8), NAMES, st.sampled_from(list(RdataType)), st.booleans())
def test_any_zone_answers_any_question(
    records: list[dict[str, Any]], name: str, kind: RdataType, rd: bool
) -> None:
    served = zones(*records)
    result = answer(served, Question(labels_of(name), kind, rd), around())
    assert result.rcode in (Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.REFUSED)
    if result.answers and result.is_authoritative:
        assert all(one.values for one in result.answers)
    if result.rcode == Rcode.NXDOMAIN:
        assert result.authority


NEAR = zones(
    record("api.example.com.", "A", "10.0.0.1", SetIdentifier="a", Region="us-east-1"),
    record("api.example.com.", "A", "10.0.0.2", SetIdentifier="b", Region="eu-west-1"),
    record("api.example.com.", "A", "10.0.0.3", SetIdentifier="c", Region="ap-northeast-1"),
)
THERE = zones(
    record("api.example.com.", "A", "10.0.0.1", SetIdentifier="a", GeoLocation={"CountryCode": "DE"}),
    record("api.example.com.", "A", "10.0.0.2", SetIdentifier="b", GeoLocation={"ContinentCode": "EU"}),
)
AROUND = zones(
    record("api.example.com.", "A", "10.0.0.1", SetIdentifier="a",
           GeoProximityLocation={"AWSRegion": "us-east-1", "Bias": 90}),
    record("api.example.com.", "A", "10.0.0.2", SetIdentifier="b",
           GeoProximityLocation={"AWSRegion": "eu-west-1"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("served", "region", "address"),
    [
        (NEAR, "", "10.0.0.3"),
        (NEAR, "eu-west-1", "10.0.0.2"),
        (NEAR, "eu-central-1", "10.0.0.2"),
        (NEAR, "ca-central-1", "10.0.0.1"),
        (NEAR, "no-such-region", "10.0.0.3"),
        (THERE, "eu-central-1", "10.0.0.1"),
        (THERE, "eu-west-1", "10.0.0.2"),
        (AROUND, "eu-west-1", "10.0.0.2"),
        (AROUND, "eu-central-1", "10.0.0.1"),
    ],
)
def test_records_by_place_answer_the_region_that_asks(served: Zones, region: str, address: str) -> None:
    given = answer(served, Question(labels_of("api.example.com"), RdataType.A, region=region), around())
    assert values(given) == [address]


@pytest.mark.parametrize("sets", [THERE, zones(record("api.example.com.", "A", "10.0.0.1", SetIdentifier="a",
                                                      GeoLocation={"CountryCode": "DE"}))])  # fmt: skip
def test_geolocation_without_a_default_answers_nobody_else(sets: Zones) -> None:
    given = answer(sets, Question(labels_of("api.example.com"), RdataType.A, region="us-east-1"), around())
    assert (given.rcode, given.answers) == (Rcode.NOERROR, ())
