"""Gateways in a plan."""

from __future__ import annotations

import json
from pathlib import Path

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.kubernetes import manifests
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline import stack_plan
from testbed.lb_controller.offline.stack_plan import Plan
from tests.lb_controller.gateway.examples import Json, gateway, gateway_class, route, service


def plan(*items: Json, release: str = "v3.5.0") -> Plan:
    text = "\n---\n".join(json.dumps(one) for one in items)
    loaded = manifests.parse(text, Path("edge.yaml"), custom=True)
    return stack_plan.plan(loaded, ControllerOptions(release=LB_CONTROLLER_RELEASES[release]))


def test_a_gateway_is_planned_with_a_certificate_for_each_host() -> None:
    found = plan(gateway_class(), gateway(configured=False), service(), route(hosts=("a.example.com",)))
    (one,) = found.stacks
    assert one.title == "Gateway shop/edge"
    assert one.stack
    assert one.stack.listeners[0].certificates[0].endswith("a.example.com")
    assert found.unplanned == ()


def test_a_gateway_that_cannot_be_built_says_why() -> None:
    found = plan(gateway_class(), gateway(configured=False), service(kind="ClusterIP"), route(hosts=("a.b",)))
    (one,) = found.stacks
    assert "TargetGroup port is empty" in (one.error or "")


def test_a_release_before_its_gates_makes_nothing_of_a_gateway() -> None:
    (one,) = plan(gateway_class(), gateway(), release="v3.1.0").unplanned
    assert str(one) == (
        "Gateway shop/edge gets no load balancer: the feature gate ALBGatewayAPI is off; "
        "it is on by default from v3.2.0 on"
    )


def test_a_gateway_of_another_class_is_somebody_elses() -> None:
    foreign = gateway_class()
    foreign["spec"]["controllerName"] = "istio.io/gateway-controller"
    (one,) = plan(foreign, gateway()).unplanned
    assert str(one) == (
        "Gateway shop/edge gets its load balancer from the controller istio.io/gateway-controller "
        "of the GatewayClass edge"
    )
    (one,) = plan(gateway()).unplanned
    assert one.taker == "the controller of the GatewayClass edge, which is not among the manifests"
