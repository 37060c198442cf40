from __future__ import annotations

import pytest

from testbed.check import unread_annotations
from testbed.check.findings import Severity
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, annotated
from tests.check.traps import ALB, NLB, Case, check_case, rules_of

CONTROLLER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: aws-load-balancer-controller, namespace: kube-system}
spec:
  selector: {matchLabels: {app: lbc}}
  template:
    metadata: {labels: {app: lbc}}
    spec:
      containers:
        - name: controller
          image: public.ecr.aws/eks/aws-load-balancer-controller:RELEASE
"""
WITH_CAPACITY = annotated(INGRESS, f'{ALB}minimum-load-balancer-capacity: "CapacityUnits=3000"')
OLD, ENOUGH = CONTROLLER.replace("RELEASE", "v2.10.1"), CONTROLLER.replace("RELEASE", "v2.11.0")
LATER, SCHEME, UNREAD, IF_NEW = (
    "annotation-of-a-later-release",
    "scheme-not-read",
    "annotation-not-read",
    "claimed-if-new",
)
KIND, CONTROLLER_OF, LIMITS = (
    "annotation-of-another-kind",
    "annotation-of-another-controller",
    "limits-not-read",
)
NGINX = "nginx.ingress.kubernetes.io/"
TRAPS = {
    LATER: Case((SERVICE, PLAIN, WITH_CAPACITY, OLD), "3.yaml:6"),
    SCHEME: Case((annotated(SERVICE, f"{NLB}scheme: internal"), PLAIN, INGRESS), "1.yaml:6"),
    UNREAD: Case((annotated(SERVICE, f"{NLB}name: front"), PLAIN, INGRESS), "1.yaml:6"),
    KIND: Case((annotated(SERVICE, f"{ALB}scheme: internal"), PLAIN, INGRESS), "1.yaml:6"),
    CONTROLLER_OF: Case((SERVICE, PLAIN, annotated(INGRESS, f"{NGINX}rewrite-target: /")), "3.yaml:6"),
    LIMITS: Case(
        (SERVICE, PLAIN, annotated(INGRESS, f"{NGINX}whitelist-source-range: 10.0.0.0/8")), "3.yaml:6"
    ),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(unread_annotations) == {*TRAPS, IF_NEW}


def test_the_release_that_brought_an_annotation_is_not_accused_of_ignoring_it(look: Look) -> None:
    (found,) = look(SERVICE, PLAIN, WITH_CAPACITY, OLD, rule=LATER)
    assert "v2.11.0 is the first that does" in found.what
    assert look(SERVICE, PLAIN, WITH_CAPACITY, ENOUGH, rule=LATER) == []


def test_a_scheme_that_the_nlb_has_anyway_is_no_trap(look: Look) -> None:
    assert look(annotated(SERVICE, f"{NLB}scheme: internet-facing"), rule=SCHEME) == []
    internal = annotated(SERVICE, f"{NLB}scheme: internal", f'{NLB}internal: "true"')
    assert look(internal, rule=SCHEME) == []


def test_a_standing_service_is_told_what_it_would_become_from_v2_5_on(look: Look) -> None:
    (found,) = look(SERVICE, rule=IF_NEW)
    assert found.severity is Severity.NOTE
    assert "gets the class service.k8s.aws/nlb" in found.what
    assert "instead of the internet-facing NLB" in found.what
    assert look(SERVICE, CONTROLLER.replace("RELEASE", "v2.4.7"), rule=IF_NEW) == []


def test_a_rendered_chart_without_the_webhook_claims_nothing(look: Look) -> None:
    assert look(SERVICE, CONTROLLER.replace("RELEASE", "v3.5.0"), rule=IF_NEW) == []


def test_a_service_that_stays_the_controllers_own_is_told_nothing(look: Look) -> None:
    external = SERVICE.replace("load-balancer-type: nlb", "load-balancer-type: external")
    assert look(annotated(external, f"{NLB}nlb-target-type: ip"), rule=IF_NEW) == []


PLAIN_BALANCER = SERVICE.replace("    service.beta.kubernetes.io/aws-load-balancer-type: nlb\n", "")
AUTO = PLAIN_BALANCER.replace(
    "  type: LoadBalancer", "  loadBalancerClass: eks.amazonaws.com/nlb\n  type: LoadBalancer"
)


def test_a_classic_load_balancer_faces_the_internet_in_spite_of_the_scheme(look: Look) -> None:
    (found,) = look(annotated(PLAIN_BALANCER, f"{NLB}scheme: internal"), rule=SCHEME)
    assert "the Classic Load Balancer is internet-facing" in found.what
    internal = annotated(PLAIN_BALANCER, f"{NLB}scheme: internal", f'{NLB}internal: "true"')
    assert look(internal, rule=SCHEME) == []


@pytest.mark.parametrize(
    ("manifest", "key", "words"),
    [
        (AUTO, "type: nlb", "EKS Auto Mode makes its NLB and does not read it"),
        (AUTO, 'internal: "true"', "EKS Auto Mode makes its NLB and does not read it"),
        (AUTO, "scheme: internal", ""),
        (
            SERVICE.replace(
                "aws-load-balancer-type: nlb",
                f"aws-load-balancer-type: external\n    {NLB}nlb-target-type: ip",
            ),
            'connection-idle-timeout: "60"',
            "a Classic Load Balancer has such a setting, an NLB has not",
        ),
    ],
)
def test_the_maker_of_an_nlb_is_named_where_it_does_not_read_an_annotation(
    look: Look, manifest: str, key: str, words: str
) -> None:
    found = look(annotated(manifest, f"{NLB}{key}"), rule=UNREAD)
    assert [words in one.what for one in found] == ([True] if words else [])


@pytest.mark.parametrize(
    ("manifest", "annotation", "is_read"),
    [
        (SERVICE, f"{ALB}certificate-arn: one", False),
        (SERVICE, f"{ALB}healthcheck-path: /up", True),
        (INGRESS, f"{NLB}scheme: internal", False),
        (PLAIN.replace("spec:", "  annotations:\nspec:"), f"{NLB}scheme: internal", False),
    ],
)
def test_an_annotation_counts_on_the_kind_of_object_that_has_it(
    look: Look, manifest: str, annotation: str, is_read: bool
) -> None:
    assert bool(look(annotated(manifest, annotation), rule=KIND)) is not is_read


@pytest.mark.parametrize(
    ("class_name", "annotation", "is_foreign"),
    [
        ("alb", f"{NGINX}rewrite-target: /", True),
        ("nginx", f"{NGINX}rewrite-target: /", False),
        ("nginx", f"{ALB}scheme: internal", True),
        ("team-a", f"{ALB}scheme: internal", False),
        ("traefik", "traefik.ingress.kubernetes.io/router.tls: 'true'", False),
        ("traefik", f"{NGINX}rewrite-target: /", True),
    ],
)
def test_an_ingress_is_told_of_annotations_of_a_controller_that_does_not_take_it(
    look: Look, class_name: str, annotation: str, is_foreign: bool
) -> None:
    lines = [one for one in INGRESS.splitlines() if ALB not in one]
    bare = "\n".join(lines).replace("ingress.class: alb", f"ingress.class: {class_name}")
    assert bool(look(PLAIN, annotated(bare, annotation), rule=CONTROLLER_OF)) is is_foreign


def test_a_limit_that_the_alb_has_too_is_no_trap(look: Look) -> None:
    limited = annotated(
        INGRESS, f"{NGINX}whitelist-source-range: 10.0.0.0/8", f"{ALB}inbound-cidrs: 10.0.0.0/8"
    )
    assert look(PLAIN, limited, rule=LIMITS) == []
    assert look(PLAIN, annotated(INGRESS, f"{NGINX}auth-url: https://a.example.com"), rule=LIMITS)
