from __future__ import annotations

import json

import pytest

from testbed.check import aws_limits
from tests.check.advised import advice_on, advised
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, annotated
from tests.check.traps import ALB, Case, check_case, rules_of
from tests.lb_controller.offline.manifests_of_groups import CERTIFICATE, ingress

TRAPS = {
    "path-pattern-refused": Case(
        (SERVICE, PLAIN, INGRESS.replace("/shop.v1.Cart/*", "/api(/|$)(.*)")), "3.yaml:18"
    ),
    "idle-streams-are-cut": Case(
        (SERVICE, PLAIN, INGRESS.replace("timeout_seconds=350", "timeout_seconds=60")), "3.yaml:12"
    ),
    "beyond-aws-limits": Case(
        (
            SERVICE,
            PLAIN,
            annotated(
                INGRESS,
                f'{ALB}conditions.web-plain: \'[{{"field":"source-ip","sourceIpConfig":'
                '{"values":["10.0.0.0/8","10.1.0.0/16","10.2.0.0/16","10.3.0.0/16","10.4.0.0/16"]}}]\'',
            ),
        ),
        "3.yaml:19",
    ),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(aws_limits) == set(TRAPS)


@pytest.mark.parametrize(
    ("path", "is_refused"),
    [("/a-b_c.d$~\"'@:+&*?", False), ("/a|b", True), ("/" + "a" * 127, False), ("/" + "a" * 128, True)],
)
def test_a_path_has_the_characters_and_the_length_that_a_pattern_may_have(
    look: Look, path: str, is_refused: bool
) -> None:
    found = look(PLAIN, INGRESS.replace("/shop.v1.Cart/*", json.dumps(path)), rule="path-pattern-refused")
    assert bool(found) is is_refused


def test_a_regular_expression_that_is_asked_for_is_none_of_a_pattern(look: Look) -> None:
    regex = annotated(INGRESS, f'{ALB}use-regex-path-match: "true"').replace(
        "/shop.v1.Cart/*", "/api(/|$)(.*)"
    )
    assert look(PLAIN, regex, rule="path-pattern-refused") == []


@pytest.mark.parametrize("seconds", ["0", "4001", "long"])
def test_an_idle_timeout_that_aws_refuses_is_reported(seconds: str) -> None:
    asked = f"load-balancer-attributes: idle_timeout.timeout_seconds={seconds}"
    found = advised(ingress("web", "/*", CERTIFICATE, asked))
    assert "it must be 1 to 4000 s" in found["beyond-aws-limits"]


def test_a_rule_with_more_values_than_aws_takes_is_reported() -> None:
    hosts = [f"{letter}.example.com" for letter in "abcde"]
    condition = {"field": "host-header", "hostHeaderConfig": {"values": hosts}}

    found = advised(ingress("web", "/web", CERTIFICATE, f"conditions.web: '{json.dumps([condition])}'"))

    assert found.keys() == {"beyond-aws-limits"}
    assert found["beyond-aws-limits"].endswith("it has 7 condition values, a rule can only have 5")


def test_more_rules_than_the_quota_are_reported_once() -> None:
    found = advice_on(*(ingress(f"web-{at:03}", f"/{at:03}", CERTIFICATE) for at in range(102)))

    (reported,) = found
    assert reported.reason == "beyond-aws-limits"
    assert "AWS refuses all from rule 443:101 (host api.example.com and path /100, " in reported.finding.what
