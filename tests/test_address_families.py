"""A name whose A and AAAA lead to different balancers is parted; a pair that agrees is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.address_families import parted_names

NLB, ALB = "edge-0123456789abcdef.elb.eu-west-1.amazonaws.com", "k8s-a-1.eu-west-1.elb.amazonaws.com"


def alias(kind: str, target: str, name: str = "app.example.com.", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "AliasTarget": {"DNSName": target}, **more}


def plain(kind: str, *values: str) -> dict[str, Any]:
    return {"Name": "app.example.com.", "Type": kind, "ResourceRecords": [{"Value": one} for one in values]}


def test_two_balancers_under_one_name_are_parted_and_both_are_named() -> None:
    [found] = parted_names([alias("AAAA", ALB), alias("A", NLB)])
    assert str(found) == f"app.example.com: A leads to {NLB}, AAAA to {ALB}"


def test_a_balancer_beside_addresses_is_parted() -> None:
    [found] = parted_names([plain("A", "192.0.2.2", "192.0.2.1"), alias("AAAA", ALB)])
    assert (found.ipv4, found.ipv6) == ("192.0.2.1, 192.0.2.2", ALB)


@pytest.mark.parametrize(
    "records",
    [
        [alias("A", NLB)],
        [alias("A", NLB), alias("AAAA", f"dualstack.{NLB.upper()}.")],
        [plain("A", "192.0.2.1"), plain("AAAA", "2001:db8::1")],
        [alias("A", NLB, "a.example.com."), alias("AAAA", ALB, "b.example.com.")],
        [alias("A", NLB), alias("TXT", ALB)],
    ],
)
def test_one_family_or_a_pair_that_agrees_is_not_parted(records: list[dict[str, Any]]) -> None:
    assert list(parted_names(records)) == []


def test_each_set_identifier_is_a_pair_of_its_own() -> None:
    records = [
        alias(kind, target, "\\052.example.com.", SetIdentifier=identifier)
        for kind, pair in (("A", (NLB, NLB)), ("AAAA", (NLB, ALB)))
        for identifier, target in zip("ab", pair, strict=True)
    ]
    [found] = parted_names(records)
    assert str(found).startswith("*.example.com [b]: ")


@given(st.lists(st.tuples(st.sampled_from(["A", "AAAA", "CNAME"]), st.sampled_from([NLB, ALB])), max_size=4))
def test_a_zone_is_parted_in_any_order_or_in_none(pairs: list[tuple[str, str]]) -> None:
    records = [
        alias(kind, target, f"{index // 2}.example.com.") for index, (kind, target) in enumerate(pairs)
    ]
    assert list(parted_names(records)) == list(parted_names(reversed(records)))
