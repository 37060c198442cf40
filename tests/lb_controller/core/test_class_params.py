"""The fields of IngressClassParams, each from its own release on."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core import class_params
from testbed.lb_controller.core.build_inputs import ControllerOptions, Group, GroupID
from testbed.lb_controller.core.stack import Stack
from testbed.lb_controller.ingress.alb_stack import build_ingress_group
from testbed.lb_controller.ingress.ingress_classes import IngressObjects, load
from tests.lb_controller.examples import cluster, ingress, path, service

CLASS = {
    "kind": "IngressClass",
    "metadata": {"name": "alb"},
    "spec": {
        "controller": "ingress.k8s.aws/alb",
        "parameters": {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "ours"},
    },
}


def params(**spec: Any) -> dict[str, Any]:
    return {"kind": "IngressClassParams", "metadata": {"name": "ours"}, "spec": spec}


def built(release: str, listen_ports: str = '[{"HTTP": 80}]', **spec: Any) -> Stack:
    item = ingress("api", path("/"), listen_ports=listen_ports)
    del item["metadata"]["annotations"]["kubernetes.io/ingress.class"]
    item["spec"]["ingressClassName"] = "alb"
    tag = LB_CONTROLLER_RELEASES[release]
    member = load(item, IngressObjects.of([item, CLASS, params(**spec)]), tag)
    group = Group(id=GroupID("", "app"), members=(member,))
    return build_ingress_group(group, cluster(service(kind="NodePort")), ControllerOptions(release=tag))


def test_target_type_of_the_class_counts_since_v2_9() -> None:
    for release, kind in (("v2.8.3", "instance"), ("v2.13.4", "ip"), ("v3.5.0", "ip")):
        (group,) = built(release, targetType="ip").target_groups
        assert group.target_type == kind


def test_ssl_redirect_port_of_the_class_counts_since_v2_14() -> None:
    both, redirect = '[{"HTTP": 80}, {"HTTPS": 443}]', {"sslRedirectPort": "443"}
    for release, action in (("v2.13.4", "fixed-response"), ("v3.5.0", "redirect")):
        stack = built(release, both, certificateArn=["arn:one"], **redirect)
        assert stack.listeners[0].default_actions[0].type == action


@pytest.mark.parametrize("field", class_params.FIELDS)
def test_a_field_is_read_from_its_release_on_and_named_as_ignored_before(field: str) -> None:
    item = params(**{field: "x", "theirs": "y"})
    for release in LB_CONTROLLER_RELEASES.values():
        reads = release.has(class_params.FIELDS[field])
        assert class_params.ignored(item, release) == (() if reads else (field,))
        assert (field in class_params.read_by(release, item)["spec"]) is reads
        assert "theirs" in class_params.read_by(release, item)["spec"]


def test_the_fields_of_a_class_that_are_not_read_are_named_with_their_release() -> None:
    known = {"ours": params(sslRedirectPort="443")}
    old, new = LB_CONTROLLER_RELEASES["v2.13.4"], LB_CONTROLLER_RELEASES["v3.5.0"]
    assert class_params.ignored_of(CLASS, known, old) == (
        "sslRedirectPort of IngressClassParams ours, which v2.14.0 is the first to read",
    )
    assert class_params.ignored_of(CLASS, known, new) == ()
    assert class_params.ignored_of(None, known, old) == ()
