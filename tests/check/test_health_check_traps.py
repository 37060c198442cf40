from __future__ import annotations

import pytest

from testbed.check import health_check_traps
from testbed.check.health_check_traps import are_possible_codes
from tests.check.advised import advised
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, REST, SERVICE, annotated
from tests.check.traps import ALB, GOOD, Case, check_case, rules_of
from tests.lb_controller.offline.manifests_of_groups import CERTIFICATE, LONG, ingress

TRAPS = {
    "impossible-success-codes": Case(
        (SERVICE, PLAIN, annotated(INGRESS, f'{ALB}success-codes: "200"')), "3.yaml:6"
    ),
    "grpc-health-needs-status-12": Case(GOOD, "3.yaml:11"),
    "http-health-path-is-the-root": Case((*GOOD, REST), "4.yaml:1"),
    "no-readiness-gate": Case(
        (
            SERVICE,
            PLAIN,
            INGRESS,
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n",
        ),
        "4.yaml:1",
    ),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(health_check_traps) == set(TRAPS)


@pytest.mark.parametrize(
    ("codes", "version", "is_reported"),
    [
        ("200", "GRPC", True),
        ("0-99", "GRPC", False),
        ("12", "HTTP1", True),
        ("200,301-302", "HTTP1", False),
        ("200-599", "HTTP1", True),
        ("200-", "HTTP1", True),
    ],
)
def test_success_codes_that_aws_refuses_are_reported(codes: str, version: str, is_reported: bool) -> None:
    version_line, codes_line = f"backend-protocol-version: {version}", f"success-codes: '{codes}'"

    found = advised(ingress("web", "/pkg.Service/*", CERTIFICATE, version_line, codes_line, LONG))

    assert ("impossible-success-codes" in found) is is_reported


@pytest.mark.parametrize(
    ("codes", "is_possible"),
    [
        ("12", True),
        ("0,1", True),
        ("0-5,12", True),
        ("5-0", False),
        ("100", False),
        ("", False),
        ("a", False),
    ],
)
def test_codes_are_numbers_and_rising_ranges_within_what_is_allowed(codes: str, is_possible: bool) -> None:
    assert are_possible_codes(codes, range(100)) is is_possible


def test_a_health_check_path_of_the_service_counts_as_that_of_the_ingress_does(look: Look) -> None:
    rule = "http-health-path-is-the-root"
    of_service = PLAIN.replace(
        "  name: web-plain\n", f"  name: web-plain\n  annotations: {{{ALB}healthcheck-path: /healthz}}\n"
    )
    assert look(SERVICE, PLAIN, INGRESS, REST, rule=rule) != []
    assert look(SERVICE, of_service, INGRESS, REST, rule=rule) == []
