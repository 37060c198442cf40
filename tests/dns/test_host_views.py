"""A host without IPv6 gets no AAAA; one with IPv6 gets AAAA first, and A where there is none."""

from __future__ import annotations

from functools import partial
from typing import Any

import dns.rdatatype
import pytest

from testbed.dns.domain_names import labels_of
from testbed.dns.host_views import View, of_ipv4_host, of_ipv6_host
from testbed.dns.route53_answers import Question, Surroundings, answer
from tests.dns.zones_of_route53 import ALB, NLB, alias, record, zones

ADDRESSES = {NLB: ("127.81.10.1", "::ffff:127.81.10.1"), ALB: ("127.81.11.1",)}


def seen(view: View, kind: str, *records: dict[str, Any], name: str = "api.example.com") -> list[str]:
    served = zones(*records)
    surroundings = Surroundings(balancer_addresses=lambda one: ADDRESSES.get(one, ()))
    question = Question(labels_of(name), dns.rdatatype.from_text(kind))
    found = view(question, partial(_answer, served, surroundings))
    return [value.text for one in found.answers for value in one.values]


def _answer(served: Any, surroundings: Surroundings, question: Question) -> Any:
    return answer(served, question, surroundings)


A_ALB, AAAA_NLB, AAAA_ALB = (
    alias("api.example.com", ALB),
    alias("api.example.com", NLB, "AAAA"),
    alias("api.example.com", ALB, "AAAA"),
)


def test_a_host_without_ipv6_follows_a_alone() -> None:
    assert seen(of_ipv4_host, "A", A_ALB, AAAA_NLB) == ["127.81.11.1"]
    assert seen(of_ipv4_host, "AAAA", A_ALB, AAAA_NLB) == []


def test_a_host_with_ipv6_follows_aaaa_first_and_a_after_it() -> None:
    assert seen(of_ipv6_host, "A", A_ALB, AAAA_NLB) == ["127.255.10.1", "127.81.11.1"]
    assert seen(of_ipv6_host, "AAAA", A_ALB, AAAA_NLB) == []


def test_an_aaaa_that_leads_to_a_balancer_without_ipv6_changes_nothing() -> None:
    assert seen(of_ipv6_host, "A", A_ALB, AAAA_ALB) == ["127.81.11.1"]


def test_addresses_of_no_balancer_are_left_out() -> None:
    own = record("api.example.com", "AAAA", "2001:db8::1")
    assert seen(of_ipv6_host, "A", A_ALB, own) == ["127.81.11.1"]


def test_a_name_with_aaaa_alone_is_reached_by_ipv6_alone() -> None:
    assert seen(of_ipv6_host, "A", AAAA_NLB) == ["127.255.10.1"]


def test_the_order_survives_the_shuffle_of_several_addresses() -> None:
    both = {NLB: ("127.81.10.1", "127.81.10.2", "::ffff:127.81.10.1", "::ffff:127.81.10.2")}
    surroundings = Surroundings(balancer_addresses=lambda one: both.get(one, ()))
    served = zones(alias("api.example.com", NLB), AAAA_NLB)
    question = Question(labels_of("api.example.com"), dns.rdatatype.A)
    found = of_ipv6_host(question, lambda one: answer(served, one, surroundings))
    texts = [value.text for value in found.answers[0].values]
    assert sorted(texts[:2]) == ["127.255.10.1", "127.255.10.2"]
    assert sorted(texts[2:]) == ["127.81.10.1", "127.81.10.2"]


@pytest.mark.parametrize("kind", ["TXT", "CNAME", "MX"])
def test_other_types_are_the_same_everywhere(kind: str) -> None:
    text = record("api.example.com", "TXT", '"owner"')
    assert seen(of_ipv6_host, kind, A_ALB, text) == seen(of_ipv4_host, kind, A_ALB, text)
