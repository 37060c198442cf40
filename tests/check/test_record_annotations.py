from __future__ import annotations

import pytest

from testbed.check import record_annotations
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, annotated
from tests.check.traps import ALB, GOOD, NEW, XDNS, Case, check_case, flags, rules_of, weighted

TRAPS = {
    "unread-annotation-prefix": Case(GOOD, "1.yaml:6", NEW),
    "ttl-on-alias": Case((annotated(SERVICE, f'{XDNS}ttl: "60"'),), "1.yaml:6"),
    "dualstack-leaves-aaaa": Case(
        (SERVICE, PLAIN, annotated(INGRESS, f"{ALB}ip-address-type: dualstack")), "3.yaml:6"
    ),
    "aaaa-on-the-other-balancer": Case((SERVICE.replace("alpha.", ""), PLAIN, INGRESS), "1.yaml:6", NEW),
    "pinned-zone-not-rehearsed": Case(
        (annotated(SERVICE.replace("alpha.", ""), "external-dns.kubernetes.io/aws-hosted-zone-id: Z123"),),
        "1.yaml:6",
        NEW,
    ),
    "weight-without-set-identifier": Case(
        (annotated(SERVICE, f'{XDNS}aws-weight: "50"'), PLAIN, INGRESS), "1.yaml:6"
    ),
    "set-identifier-without-weight": Case(
        (annotated(SERVICE, f"{XDNS}set-identifier: nlb"), PLAIN), "1.yaml:6"
    ),
    "weighted-beside-simple": Case((SERVICE, PLAIN, weighted(INGRESS, "alb")), "1.yaml:6"),
    "one-set-identifier-for-both": Case(
        (weighted(SERVICE, "web"), PLAIN, weighted(INGRESS, "web")), "3.yaml:6"
    ),
    "weights-move-new-lookups-only": Case(
        (weighted(SERVICE, "nlb"), PLAIN, weighted(INGRESS, "alb")), "1.yaml:7"
    ),
    "target-health-annotation-ignored": Case(
        (annotated(SERVICE, f'{XDNS}aws-evaluate-target-health: "false"'),), "1.yaml:6"
    ),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(record_annotations) == set(TRAPS)


def test_an_annotation_prefix_of_the_deployment_is_read(look: Look) -> None:
    reported = flags(f"--annotation-prefix={XDNS}")
    assert look(*GOOD, reported, rule="unread-annotation-prefix", version=NEW) == []
