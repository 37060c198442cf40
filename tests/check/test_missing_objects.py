from __future__ import annotations

import pytest

from testbed.check import missing_objects
from tests.check.advised import advice_on
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, annotated
from tests.check.traps import ALB, GOOD, Case, check_case, rules_of
from tests.lb_controller.offline.manifests_of_groups import ingress

TRAPS = {
    "kind-not-read": Case(
        (
            *GOOD,
            "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: web}\n",
            "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web}\nspec: {a: {}}\n",
        ),
        "4.yaml:1",
    ),
    "cannot-be-built": Case(
        (SERVICE, PLAIN, INGRESS.replace("target-type: ip", "target-type: instance")), "3.yaml:1"
    ),
    "nobody-takes-it": Case(
        (SERVICE, PLAIN, INGRESS.replace("    kubernetes.io/ingress.class: alb\n", "")), "3.yaml:1"
    ),
    "balancer-of-another-controller": Case(
        (SERVICE, PLAIN, INGRESS.replace("ingress.class: alb", "ingress.class: nginx")), "3.yaml:1"
    ),
    "host-without-paths": Case(
        (
            SERVICE,
            PLAIN,
            INGRESS.replace("  rules:\n", "  rules:\n    - host: other.example.com\n"),
        ),
        "3.yaml:15",
    ),
    "backend-missing": Case((SERVICE, INGRESS), "2.yaml:20"),
    "assumed-ingress-class": Case(
        (
            SERVICE,
            PLAIN,
            INGRESS.replace("    kubernetes.io/ingress.class: alb\n", "").replace(
                "spec:\n", "spec:\n  ingressClassName: alb\n"
            ),
        ),
        "3.yaml:13",
    ),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(missing_objects) == set(TRAPS)


def test_a_default_backend_and_an_action_that_are_not_there_are_reported(look: Look) -> None:
    backends = INGRESS.replace("name: web-plain", "name: act").replace("number: 80", "name: use-annotation")
    absent = "spec:\n  defaultBackend: {service: {name: absent, port: {number: 80}}}\n"
    found = look(SERVICE, PLAIN, backends.replace("spec:\n", absent), rule="backend-missing")
    assert sorted(one.what.partition(" leads to ")[2].split(":")[0] for one in found) == [
        "the Service default/absent, which is not among the manifests",
        "the action act, which none of its annotations defines",
    ]


def test_a_group_that_cannot_be_built_is_named_at_the_annotation_that_the_message_means(look: Look) -> None:
    two = INGRESS.replace("name: web\n", "name: two\n", 1)
    attributes = f"{ALB}load-balancer-attributes: idle_timeout.timeout_seconds=350"
    other = two.replace(attributes, attributes.replace("350", "60"))
    (found,) = look(SERVICE, PLAIN, INGRESS, other, rule="cannot-be-built")
    assert f"{found.where.path.name}:{found.where.line}" == "3.yaml:12"
    assert found.do.endswith("one invalid member stops its whole group")
    ports = annotated(INGRESS, f"{ALB}listen-ports: '{{\"HTTP\": 80}}'")
    (found,) = look(SERVICE, PLAIN, ports, rule="cannot-be-built")
    assert f"{found.where.path.name}:{found.where.line}" == "3.yaml:6"
    assert "failed to parse listen-ports configuration" in found.what


def test_the_assumed_class_of_the_helm_chart_is_reported_once() -> None:
    documents = [
        ingress(name, f"/{name}")
        .replace("    kubernetes.io/ingress.class: alb\n", "")
        .replace("spec:\n", "spec:\n  ingressClassName: alb\n")
        for name in ("a", "b")
    ]

    (found,) = [one.finding for one in advice_on(*documents) if one.reason == "assumed-class"]

    assert found.what.startswith("the IngressClass alb of Ingress default/a is not among the manifests")
