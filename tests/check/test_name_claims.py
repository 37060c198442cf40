from __future__ import annotations

import pytest

from testbed.check import name_claims
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, REST, SERVICE, annotated
from tests.check.traps import ALB, GOOD, XDNS, Case, check_case, flags, rules_of

TRAPS = {
    "rollback-needs-both-edits": Case(GOOD, "1.yaml:6"),
    "nobody-claims-between": Case(GOOD, "1.yaml:6"),
    "lost-address-moves-the-name": Case(GOOD, "1.yaml:6"),
    "fresh-zone-decides-by-name": Case(GOOD, "1.yaml:6"),
    "fresh-zone-parts-families": Case(
        (
            SERVICE + "status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}\n",
            PLAIN,
            INGRESS
            + "status: {loadBalancer: {ingress: [{hostname: k8s-a-1.eu-west-1.elb.amazonaws.com}]}}\n",
            flags("--annotation-prefix=external-dns.alpha.kubernetes.io/"),
        ),
        "1.yaml:6",
        "v0.22",
    ),
    "unstable-after-rollback": Case((*GOOD, REST), "4.yaml:15"),
    "two-balancers-one-name": Case(
        (*GOOD, REST.replace("group.name: web", "group.name: other")), "4.yaml:15"
    ),
    "claims-without-address": Case(
        (SERVICE.replace("type: nlb", "type: external"), PLAIN, INGRESS), "1.yaml:6"
    ),
    "frontend-nlb-not-published": Case(
        (
            SERVICE,
            PLAIN,
            annotated(
                INGRESS.replace("scheme: internet-facing", "scheme: internal"),
                f'{ALB}enable-frontend-nlb: "true"',
                f"{ALB}frontend-nlb-scheme: internet-facing",
            ),
        ),
        "3.yaml:17",
    ),
    "hostname-on-plain-service": Case(
        (annotated(PLAIN.replace("spec:", "  annotations:\nspec:"), f"{XDNS}hostname: a.example.com"),),
        "1.yaml:6",
    ),
    "other-controller": Case((SERVICE, PLAIN, annotated(INGRESS, f"{XDNS}controller: other")), "3.yaml:6"),
    "capitals-in-host": Case((SERVICE.replace("api.example", "API.example"),), "1.yaml:6"),
    "two-services-one-host": Case(
        (*GOOD, SERVICE.replace("name: web\n", "name: two\n")), "4.yaml:6", "v0.7.5"
    ),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(name_claims) == set(TRAPS)


def test_a_frontend_nlb_that_the_target_annotation_names_is_published(look: Look) -> None:
    internal = annotated(
        INGRESS.replace("scheme: internet-facing", "scheme: internal"),
        f'{ALB}enable-frontend-nlb: "true"',
        f"{ALB}frontend-nlb-scheme: internet-facing",
    )
    rule = "frontend-nlb-not-published"
    assert look(PLAIN, internal, rule=rule)
    assert look(PLAIN, annotated(internal, f"{XDNS}target: nlb.example.net"), rule=rule) == []
    assert (
        look(PLAIN, internal.replace("nlb-scheme: internet-facing", "nlb-scheme: internal"), rule=rule) == []
    )
