from __future__ import annotations

import pytest

from testbed.check import manifest_reading, unplayed_settings
from testbed.kubernetes.manifests import Manifest
from testbed.releases import Named
from tests.check.advised import advised
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, annotated, folder
from tests.check.traps import ALB, Case, check_case, rules_of
from tests.lb_controller.offline.manifests_of_groups import ingress

CLASS_PARAMS = """\
apiVersion: elbv2.k8s.aws/v1beta1
kind: IngressClassParams
metadata: {name: ours}
spec: {scheme: internal, sslRedirectPort: "443"}
"""
TRAPS = {
    "not-modelled": Case((SERVICE, PLAIN, annotated(INGRESS, f'{ALB}create-acm-cert: "true"')), "3.yaml:6"),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_a_plan_says_that_a_certificate_of_acms_is_not_modelled() -> None:
    found = advised(ingress("web", "/*", "create-acm-cert: 'true'"))
    assert found["not-modelled"].startswith(
        "alb.ingress.kubernetes.io/create-acm-cert of Ingress default/web is not modelled: a certificate that"
    )


@pytest.mark.parametrize(("release", "is_named"), [("v2.13.4", True), ("v3.5.0", False)])
def test_a_field_of_the_class_that_the_release_does_not_read_is_named(
    tmp_path: object, release: str, is_named: bool
) -> None:
    loaded: list[Manifest] = manifest_reading.load([folder(tmp_path, CLASS_PARAMS)])
    reading = manifest_reading.Reading.of(loaded, None, Named(release, "--lb-controller"))
    found = list(unplayed_settings.unread_class_field(reading))
    assert [one.what for one in found] == (
        [
            "v2.13.4 of the controller does not read sslRedirectPort of IngressClassParams ours: v2.14.0 is "
            "the first that does"
        ]
        if is_named
        else []
    )


def test_each_rule_has_a_test() -> None:
    assert rules_of(unplayed_settings) == {*TRAPS, "unread-class-field"}
