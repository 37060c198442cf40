from __future__ import annotations

import pytest

from testbed.aws.elbv2_name_refusals import refused_balancer, refused_group


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("web", ""),
        ("a" * 32, ""),
        ("a" * 33, "cannot be longer than '32' characters"),
        ("a_b", "can only contain characters that are alphanumeric"),
        ("-a", "cannot begin or end with '-'"),
        ("a-", "cannot begin or end with '-'"),
        ("", "can only contain"),
    ],
)
def test_names_have_32_letters_digits_and_hyphens(name: str, text: str) -> None:
    for found in (refused_balancer({"Name": name}), refused_group({"Name": name})):
        assert (found is None) == (text == "")
        assert found is None or text in found.message


def test_a_balancer_is_not_named_as_internal_ones_are_in_dns() -> None:
    found = refused_balancer({"Name": "internal-web"})
    assert found is not None
    assert "cannot begin with 'internal-'" in found.message
    assert refused_group({"Name": "internal-web"}) is None


@pytest.mark.parametrize(
    ("kind", "subnets", "is_taken"),
    [("application", ["a", "a"], False), ("application", ["a", "b"], True), ("network", ["a"], True)],
)
def test_an_alb_has_two_subnets_or_more(kind: str, subnets: list[str], is_taken: bool) -> None:
    mapped = [{"SubnetId": subnet} for subnet in subnets]
    assert (refused_balancer({"Name": "web", "Type": kind, "Subnets": subnets}) is None) is is_taken
    assert (refused_balancer({"Name": "web", "Type": kind, "SubnetMappings": mapped}) is None) is is_taken
