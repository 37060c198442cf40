from __future__ import annotations

from typing import Any

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.kubernetes import label_selectors
from testbed.lb_controller.core.build_inputs import BuildError
from testbed.lb_controller.ingress import ingress_classes
from testbed.lb_controller.ingress.ingress_classes import IngressObjects
from tests.lb_controller.examples import ingress

ALB = {"controller": ingress_classes.CONTROLLER}


def ingress_class(name: str, spec: dict[str, Any], *, is_default: bool = False) -> dict[str, Any]:
    marked = {"ingressclass.kubernetes.io/is-default-class": "true"} if is_default else {}
    return {"kind": "IngressClass", "metadata": {"name": name, "annotations": marked}, "spec": spec}


def without_annotation(**spec: Any) -> dict[str, Any]:
    item = ingress("a", spec=spec)
    item["metadata"]["annotations"] = {}
    return item


def is_taken(item: dict[str, Any], *known: dict[str, Any]) -> bool:
    return ingress_classes.classify(item, IngressObjects.of(known), "alb", manage_unclassified=False)[1]


def test_the_annotation_decides_even_against_the_class() -> None:
    nginx = ingress_class("nginx", {"controller": "nginx"})
    item = ingress("a", spec={"ingressClassName": "nginx"})

    assert is_taken(item, nginx)
    assert not is_taken(without_annotation(ingressClassName="nginx"), nginx)


def test_without_a_class_the_default_class_of_the_cluster_decides() -> None:
    default = ingress_class("alb", ALB, is_default=True)

    assert is_taken(without_annotation(), default)
    assert not is_taken(without_annotation())
    with pytest.raises(BuildError, match="multiple default IngressClasses found"):
        is_taken(without_annotation(), default, ingress_class("other", ALB, is_default=True))


@pytest.mark.parametrize(
    ("selector", "is_selected"),
    [
        ({}, True),
        ({"matchLabels": {"team": "a"}}, True),
        ({"matchLabels": {"team": "b"}}, False),
        ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}, False),
        ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_a_selector_of_labels_reads_as_in_kubernetes(selector: dict[str, Any], is_selected: bool) -> None:
    assert label_selectors.selects(selector, {"team": "a"}) is is_selected


def test_v2_1_does_not_look_at_parameters_of_a_class() -> None:
    parameters = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "gone"}
    known = IngressObjects.of([ingress_class("alb", {**ALB, "parameters": parameters})])
    item = without_annotation(ingressClassName="alb")

    assert ingress_classes.load(item, known, LB_CONTROLLER_RELEASES.oldest).class_params is None
    with pytest.raises(ingress_classes.InvalidIngressClass):
        ingress_classes.load(item, known)
