"""Who makes the load balancer of an object that neither controller here handles, as manifests show it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.kubernetes import manifests
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline import stack_plan
from testbed.lb_controller.offline.unplanned import Unplanned


def one_of(*items: dict[str, Any]) -> Unplanned:
    """What is said of the only object of some manifests that gets no stack."""
    text = yaml.safe_dump_all(items)
    loaded = manifests.parse(text, Path("all.yaml"))
    options = ControllerOptions(release=LB_CONTROLLER_RELEASES.newest)
    (found,) = stack_plan.plan(loaded, options).unplanned
    return found


def ingress(spec: dict[str, Any], **annotations: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "annotations": {k.replace("_", "/"): v for k, v in annotations.items()}},
        "spec": {"rules": [{"host": "a.example.com"}], **spec},
    }


def ingress_class(name: str, controller: str, **annotations: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"controller": controller},
    }


def service(spec: dict[str, Any] | None = None, kind: str = "") -> dict[str, Any]:
    annotations = {"service.beta.kubernetes.io/aws-load-balancer-type": kind} if kind else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "annotations": annotations},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 443}], **(spec or {})},
    }


@pytest.mark.parametrize("name", ["nginx", "traefik", "kong", "haproxy", "tailscale"])
def test_an_ingress_of_another_class_is_taken_by_that_class_installed_or_not(name: str) -> None:
    assert one_of(ingress({"ingressClassName": name})).taker == (
        f"the controller of the IngressClass {name}, which is not among the manifests"
    )
    installed = ingress_class(name, f"example.com/{name}")
    found = one_of(ingress({"ingressClassName": name}), installed)
    assert found.taker == f"the controller example.com/{name} of the IngressClass {name}"
    assert not found.reason


def test_a_default_class_takes_an_ingress_that_names_none() -> None:
    default = ingress_class(
        "nginx", "k8s.io/ingress-nginx", **{"ingressclass.kubernetes.io/is-default-class": "true"}
    )
    assert (
        one_of(ingress({}), default).taker == "the controller k8s.io/ingress-nginx of the IngressClass nginx"
    )


def test_an_ingress_without_any_class_is_in_doubt_until_its_status_has_an_address() -> None:
    found = one_of(ingress({}))
    assert (found.taker, found.reason) == (
        "the cluster's default IngressClass, if it has one",
        "it names no class, and no IngressClass of the manifests is the default",
    )
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    assert not one_of({**ingress({}), **status}).reason


def test_auto_mode_takes_its_ingress_class_its_service_class_and_by_default_other_services() -> None:
    auto = ingress_class("alb", "eks.amazonaws.com/alb")
    assert (
        one_of(ingress({"ingressClassName": "alb"}), auto).taker == "EKS Auto Mode, by the IngressClass alb"
    )
    assert one_of(service({"loadBalancerClass": "eks.amazonaws.com/nlb"})).taker == (
        "EKS Auto Mode, by its class eks.amazonaws.com/nlb"
    )
    assert one_of(service(), auto).taker == "EKS Auto Mode, whose class is the default"


def test_a_plain_service_gets_a_classic_load_balancer_and_one_of_another_class_is_of_that_class() -> None:
    assert one_of(service()).taker == "the cloud provider, as a Classic Load Balancer"
    assert one_of(service({"loadBalancerClass": "tailscale"})).taker == (
        "the controller of the load balancer class tailscale"
    )


def test_nobody_takes_an_external_service_without_target_type_nor_a_class_without_its_parameters() -> None:
    found = one_of(service(kind="external"))
    assert not found.taker
    assert "without service.beta.kubernetes.io/aws-load-balancer-nlb-target-type" in found.reason
    broken = ingress_class("own", "ingress.k8s.aws/alb")
    broken["spec"]["parameters"] = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "own"}
    found = one_of(ingress({"ingressClassName": "own"}), broken)
    assert not found.taker
    assert found.reason == 'invalid ingress class: ingressclassparamses.elbv2.k8s.aws "own" not found'
    assert str(found) == f"Ingress default/web gets no load balancer: {found.reason}"
