"""A zone's apex: its TXT lies outside the zone, and what that does to a move depends on the release."""

from __future__ import annotations

import pytest

from testbed.check import apex_names
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE
from tests.check.traps import Case, check_case, flags, rules_of

APEX = tuple(one.replace("api.example.com", "example.com") for one in (SERVICE, PLAIN, INGRESS))
PREFIX = "--annotation-prefix=external-dns.alpha.kubernetes.io/"
TRAPS = {
    "apex-does-not-move": Case((*APEX, flags(PREFIX)), "1.yaml:6", "v0.22"),
    "apex-sent-at-every-sync": Case((*APEX, flags()), "1.yaml:6", "v0.15.1"),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(apex_names) == set(TRAPS)


def apex_rules(look: Look, version: str, *more: str) -> set[str]:
    return {one.rule for one in look(*APEX, flags(*more), version=version)} & set(TRAPS)


# Seen with the real binaries: an alias of an NLB Service, then an Ingress, then the Service goes.
@pytest.mark.parametrize(
    ("version", "rules"),
    [
        ("v0.7.4", set()),
        ("v0.13.6", {"apex-sent-at-every-sync"}),
        ("v0.14.2", {"apex-sent-at-every-sync"}),
        ("v0.15.1", {"apex-sent-at-every-sync"}),
        ("v0.16.1", {"apex-does-not-move"}),
        ("v0.18.0", {"apex-does-not-move"}),
        ("v0.21.0", {"apex-does-not-move"}),
    ],
)
def test_without_a_prefix_the_apex_moves_and_repeats_and_from_v0_16_1_on_never_moves(
    look: Look, version: str, rules: set[str]
) -> None:
    assert apex_rules(look, version) == rules


@pytest.mark.parametrize("version", ["v0.14.2", "v0.16.1", "v0.18.0", "v0.21.0"])
def test_with_a_plain_prefix_no_release_moves_it_and_with_the_type_before_a_dot_all_do(
    look: Look, version: str
) -> None:
    assert apex_rules(look, version, "--txt-prefix=txt-") == {"apex-does-not-move"}
    assert apex_rules(look, version, "--txt-prefix=%{record_type}.") == set()


def test_a_name_that_is_a_domain_filter_is_an_apex_whatever_its_labels(look: Look) -> None:
    names = tuple(one.replace("example.com", "shop.example.com") for one in APEX)
    found = look(*names, flags(PREFIX, "--domain-filter=shop.example.com"), version="v0.22")
    assert "apex-does-not-move" in {one.rule for one in found}
    found = look(*names, flags(PREFIX, "--domain-filter=example.com"), version="v0.22")
    assert "apex-does-not-move" not in {one.rule for one in found}


def test_flags_that_are_refused_are_not_tried(look: Look) -> None:
    assert apex_rules(look, "v0.22", "--nonsense") == set()
