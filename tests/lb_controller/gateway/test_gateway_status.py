from __future__ import annotations

from typing import Any

from testbed.lb_controller.gateway import gateway_status
from testbed.lb_controller.gateway.route_attachment import ACCEPTED
from testbed.lb_controller.gateway.route_status import RESOLVED, ParentStatus
from tests.lb_controller.gateway.examples import Json, gateway, gateway_class, route

EARLIER, NOW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def pending(item: Json, *types: str) -> Json:
    conditions = [
        {"type": one, "status": "Unknown", "reason": "Pending", "message": "", "lastTransitionTime": EARLIER}
        for one in types
    ]
    return {**item, "status": {"conditions": conditions}}


def conditions(status: Json) -> dict[str, tuple[str, str, str]]:
    return {
        one["type"]: (one["status"], one["reason"], one["message"]) for one in status.get("conditions") or ()
    }


def deployed(item: Json, **more: Any) -> Json:
    given = {"is_active": True, "attached": {"https": 2}, "counts_listener_sets": True, "now": NOW, **more}
    return gateway_status.deployed(item, "K8s-Edge.elb.amazonaws.com", "arn:lb", **given)


def test_a_balancer_that_provisions_has_its_address_already_and_is_not_programmed() -> None:
    status = deployed(pending(gateway(), "Accepted", "Programmed"), is_active=False)
    assert status["addresses"] == [{"type": "Hostname", "value": "k8s-edge.elb.amazonaws.com"}]
    assert conditions(status)["Programmed"][:2] == ("Unknown", "Pending")
    assert conditions(status)["Accepted"] == ("True", "Accepted", "")
    (listener,) = status["listeners"]
    assert conditions(listener)["Programmed"][0] == "False"


def test_an_active_balancer_is_programmed_and_named_by_its_arn() -> None:
    status = deployed(pending(gateway(), "Accepted", "Programmed"))
    assert conditions(status)["Programmed"] == ("True", "Programmed", "arn:lb")
    (listener,) = status["listeners"]
    assert (listener["name"], listener["attachedRoutes"]) == ("https", 2)
    assert [one["kind"] for one in listener["supportedKinds"]] == ["HTTPRoute", "GRPCRoute"]
    assert status["attachedListenerSets"] == 0
    assert "attachedListenerSets" not in deployed(gateway(), counts_listener_sets=False)


def test_conditions_that_the_object_lacks_are_not_added() -> None:
    assert "Programmed" not in conditions(deployed(gateway()))
    assert conditions(gateway_status.accepted_class(gateway_class(), NOW)) == {}


def test_a_condition_that_did_not_change_keeps_its_time() -> None:
    item = pending(gateway(), "Accepted", "Programmed")
    first = deployed(item, now=EARLIER)
    again = deployed({**item, "status": first}, now=NOW)
    assert again == first
    later = deployed({**item, "status": first}, is_active=False, now=NOW)
    times = {one["type"]: one["lastTransitionTime"] for one in later["conditions"]}
    assert times == {"Accepted": EARLIER, "Programmed": NOW}


def test_a_refused_gateway_keeps_its_address_and_points_to_its_events() -> None:
    item = {**gateway(), "status": deployed(pending(gateway(), "Accepted", "Programmed"))}
    status = gateway_status.refused(item, NOW)
    assert status["addresses"][0]["value"] == "k8s-edge.elb.amazonaws.com"
    assert conditions(status)["Accepted"] == (
        "False",
        "Invalid",
        "Check Gateway Events for more information.",
    )
    assert conditions(status)["Programmed"][0] == "True"


def test_a_class_is_accepted_unless_its_configuration_is_missing() -> None:
    item = pending(gateway_class(), "Accepted")
    assert not gateway_status.is_accepted(item)
    assert not gateway_status.is_accepted(None)
    assert gateway_status.is_accepted({"status": gateway_status.accepted_class(item, NOW)})
    missing = gateway_status.accepted_class(item, NOW, "shop/edge")
    assert conditions(missing)["Accepted"] == (
        "False",
        "NotFound",
        "LoadBalancerConfiguration (edge,shop) not found",
    )


def test_a_route_keeps_what_another_controller_wrote_of_its_gateway() -> None:
    foreign = {"parentRef": {"name": "mesh"}, "controllerName": "istio.io/gateway-controller"}
    gone = {"parentRef": {"name": "old"}, "controllerName": "gateway.k8s.aws/alb"}
    item = {**route(), "status": {"parents": [gone, foreign]}}
    parent = ParentStatus({"name": "edge"}, "gateway.k8s.aws/alb", RESOLVED, ACCEPTED)
    status = gateway_status.route_parents(item, [parent], NOW)
    assert [one["parentRef"]["name"] for one in status["parents"]] == ["mesh", "edge"]
    assert [one[0] for one in conditions(status["parents"][1]).values()] == ["True", "True"]


def test_the_text_of_a_class_that_is_not_accepted_names_it() -> None:
    text = "Unable to materialize gateway when gateway class [edge] is not accepted"
    assert gateway_status.class_not_accepted(gateway()) == text
