from __future__ import annotations

import pytest

from testbed.check import misspelt_annotations
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, annotated
from tests.check.traps import Case, check_case, rules_of

TRAPS = {
    "misspelt-annotation": Case(
        (SERVICE.replace("load-balancer-type:", "loadbalancer-type:"), PLAIN, INGRESS), "1.yaml:7"
    ),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(misspelt_annotations) == set(TRAPS)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("alb.ingress.kubernetes.io/certificate-arns", "alb.ingress.kubernetes.io/certificate-arn"),
        ("external-dns.alpha.kubernetes.io/hostnames", "external-dns.alpha.kubernetes.io/hostname"),
        ("alb.ingress.kubernetes.io/actions.redirect", ""),
        ("alb.ingress.kubernetes.io/listener-attributes.HTTPS-443", ""),
        ("nginx.ingress.kubernetes.io/certificate-arns", ""),
        ("service.beta.kubernetes.io/azure-load-balancer-internal", ""),
    ],
)
def test_an_annotation_that_resembles_a_known_one_is_reported(look: Look, key: str, meant: str) -> None:
    reported = look(SERVICE, PLAIN, annotated(INGRESS, f'{key}: "x"'), rule="misspelt-annotation")
    assert [one.do for one in reported] == ([f"did you mean {meant}?"] if meant else [])
