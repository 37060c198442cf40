from __future__ import annotations

from testbed.lb_controller.core.build_inputs import ClusterState
from testbed.lb_controller.gateway.gateway_objects import GatewayObjects
from testbed.lb_controller.gateway.route_status import ParentStatus, parent_statuses
from tests.lb_controller.gateway.examples import (
    OWN_RULE,
    Json,
    gateway,
    gateway_class,
    listener,
    route,
    rule_configuration,
    service,
    to,
)


def status(of: Json, *objects: Json, unaccepted: frozenset[str] = frozenset()) -> ParentStatus:
    cluster = ClusterState(services={("shop", "web"): service()})
    found = GatewayObjects.of([gateway_class(), of, *(objects or (gateway(),))])
    (one,) = parent_statuses(of, found, cluster, unaccepted)
    return one


def test_a_route_is_accepted_although_a_backend_is_missing() -> None:
    found = status(route("HTTPRoute", to("web", "gone")))
    assert found.accepted.is_true
    assert (found.resolved.reason, found.resolved.is_true) == ("BackendNotFound", False)
    assert found.resolved.message == "Service (shop:gone) not found)"
    assert status(route()).resolved.is_true


def test_a_route_that_no_listener_takes_has_resolved_references_all_the_same() -> None:
    found = status(route("GRPCRoute"), gateway(listener("http", 80, "HTTP")))
    assert found.resolved.is_true
    assert found.accepted.message == (
        "Listener does not allow route attachment, kind does not match between listener and route"
    )


def test_a_rule_configuration_must_be_there_and_accepted() -> None:
    own, base = route("HTTPRoute", to("web", filters=[OWN_RULE])), (gateway(), rule_configuration())
    assert status(own, *base).accepted.is_true
    assert status(own, *base, unaccepted=frozenset({"shop/own"})).accepted.reason == "IncompatibleFilters"
    assert status(own, gateway()).accepted.reason == "IncompatibleFilters"


def test_a_service_of_another_namespace_without_a_grant_is_not_permitted() -> None:
    foreign = route("HTTPRoute", {"backendRefs": [{"name": "web", "namespace": "pay", "port": 80}]})
    assert status(foreign).resolved.reason == "RefNotPermitted"


def test_a_gateway_of_another_controller_gets_no_status_from_this_one() -> None:
    foreign = gateway_class()
    foreign["spec"]["controllerName"] = "istio.io/gateway-controller"
    objects = GatewayObjects.of([foreign, route(), gateway()])
    assert list(parent_statuses(route(), objects, ClusterState())) == []
