from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.dns.domain_names import balancer_name, is_below, labels_of, text_of
from tests.dns.zones_of_route53 import ALB, NLB


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (NLB, NLB),
        (ALB, ALB),
        (f"dualstack.{ALB}", ALB),
        ("x.elb.cn-north-1.amazonaws.com.cn", "x.elb.cn-north-1.amazonaws.com.cn"),
        ("ap-northeast-1.elb.amazonaws.com", None),
        ("elb.ap-northeast-1.amazonaws.com", None),
        ("elb.example.com", None),
        ("s3.amazonaws.com", None),
    ],
)
def test_names_of_balancers_are_distinguished_from_others(name: str, expected: str | None) -> None:
    assert balancer_name(labels_of(name)) == expected


def test_octal_escapes_are_read_as_route_53_writes_them() -> None:
    assert labels_of("\\052.example.com.") == (b"*", b"example", b"com")
    assert labels_of("a\\100b.example.com") == (b"a@b", b"example", b"com")
    assert labels_of(".") == labels_of("") == ()


def test_names_below_a_zone_are_distinguished_from_those_that_end_alike() -> None:
    zone = labels_of("example.com")
    assert is_below(labels_of("a.example.com"), zone)
    assert is_below(zone, zone)
    assert not is_below(labels_of("an-example.com"), zone)
    assert not is_below(labels_of("com"), zone)


@given(st.lists(st.text("aB1-_*", min_size=1, max_size=5), max_size=4))
def test_a_name_written_and_read_again_is_the_same(parts: list[str]) -> None:
    labels = labels_of(".".join(parts))
    assert labels_of(text_of(labels)) == labels
    assert all(label == label.lower() for label in labels)
