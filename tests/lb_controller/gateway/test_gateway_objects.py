from __future__ import annotations

from testbed.lb_controller.gateway.gateway_objects import GatewayObjects
from tests.lb_controller.gateway import examples


def grant(**target: str) -> examples.Json:
    source = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "shop"}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"namespace": "pay", "name": "shop"},
        "spec": {"from": [source], "to": [{"group": "", "kind": "Service", **target}]},
    }


def test_a_gateway_of_a_mesh_is_none_of_the_gateway_api() -> None:
    of_mesh = {**examples.gateway(), "apiVersion": "networking.istio.io/v1"}
    assert GatewayObjects.of([of_mesh]).gateways == ()


def test_a_gateway_whose_class_is_missing_has_no_controller() -> None:
    assert GatewayObjects.of([examples.gateway()]).controller_of(examples.gateway()) == ""


def test_a_service_of_another_namespace_needs_a_grant() -> None:
    route = examples.route()
    assert GatewayObjects().may_refer(route, "shop", "web")
    assert not GatewayObjects().may_refer(route, "pay", "web")
    assert GatewayObjects.of([grant()]).may_refer(route, "pay", "web")
    assert not GatewayObjects.of([grant(name="other")]).may_refer(route, "pay", "web")


def test_a_configuration_is_found_by_the_service_that_it_names() -> None:
    objects = GatewayObjects.of([examples.target_group_configuration("web", defaultConfiguration={})])
    assert objects.target_group_configuration(examples.service("web"))
    assert not objects.target_group_configuration(examples.service("pay"))
