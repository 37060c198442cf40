"""The statuses that the controller writes: of GatewayClasses, Gateways with their listeners, and routes.

It updates conditions that an object has and adds none to a class or a Gateway: the CRDs bring them. Reasons
and texts are those of recordings of v3.5.0; that of a balancer which provisions is from its code
(controllers/gateway/gateway_controller.go). Pure; `now` is RFC 3339.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.kubernetes import object_fields
from testbed.kubernetes.kinds import GATEWAY_GROUP
from testbed.lb_controller.core.build_inputs import KubernetesObject
from testbed.lb_controller.gateway.gateway_objects import ALB_CONTROLLER, NLB_CONTROLLER
from testbed.lb_controller.gateway.route_attachment import Condition, listeners_of, supported_kinds
from testbed.lb_controller.gateway.route_status import ParentStatus

Status = dict[str, Any]

_ACCEPTED, _PROGRAMMED = "Accepted", "Programmed"
_PROVISIONING = "Waiting for load balancer to be active."
_FAILED = "Check Gateway Events for more information."


def accepted_class(item: KubernetesObject, now: str, missing: str = "") -> Status:
    """Return the status of a GatewayClass of this controller.

    Args:
        missing: the LoadBalancerConfiguration that it names and that does not exist, `namespace/name`.
    """
    if missing:
        text = f"LoadBalancerConfiguration ({','.join(missing.split('/')[::-1])}) not found"
        return _updated(item, _ACCEPTED, ("False", "NotFound", text), now)
    return _updated(item, _ACCEPTED, ("True", _ACCEPTED, _ACCEPTED), now)


def is_accepted(gateway_class: KubernetesObject | None) -> bool:
    """True if a GatewayClass has the condition Accepted, and it is true."""
    return any(
        one.get("type") == _ACCEPTED and one.get("status") == "True"
        for one in ((gateway_class or {}).get("status") or {}).get("conditions") or ()
    )


def class_not_accepted(gateway: KubernetesObject) -> str:
    """Return the text of a Gateway whose class is not accepted yet."""
    name = object_fields.spec(gateway).get("gatewayClassName")
    return f"Unable to materialize gateway when gateway class [{name}] is not accepted"


def refused(gateway: KubernetesObject, now: str, why: str = _FAILED) -> Status:
    """Return the status of a Gateway that cannot be built or deployed; its address stays."""
    return _updated(gateway, _ACCEPTED, ("False", "Invalid", why), now)


def deployed(
    gateway: KubernetesObject,
    dns_name: str,
    arn: str,
    *,
    is_active: bool,
    attached: Mapping[str, int],
    counts_listener_sets: bool,
    now: str,
) -> Status:
    """Return the status of a Gateway whose balancer exists; the address stands before it is active.

    Args:
        attached: the number of routes by name of the listener.
        counts_listener_sets: whether the release serves ListenerSets.
    """
    programmed = ("True", _PROGRAMMED, arn) if is_active else ("Unknown", "Pending", _PROVISIONING)
    status = _updated(gateway, _PROGRAMMED, programmed, now)
    status = _updated({**gateway, "status": status}, _ACCEPTED, ("True", _ACCEPTED, ""), now)
    status["addresses"] = [{"type": "Hostname", "value": dns_name.lower()}]
    if counts_listener_sets:
        status["attachedListenerSets"] = 0
    before = {one["name"]: one for one in status.get("listeners") or ()}
    status["listeners"] = [
        _listener(gateway, one, before.get(one["name"], {}), attached, is_active=is_active, now=now)
        for one in listeners_of(gateway)
    ]
    return status


def route_parents(route: KubernetesObject, parents: Iterable[ParentStatus], now: str) -> Status:
    """Return the status of a route; what other controllers wrote of their Gateways stays."""
    status = dict(route.get("status") or {})
    before: Sequence[Mapping[str, Any]] = status.get("parents") or ()
    others = [one for one in before if one.get("controllerName") not in (ALB_CONTROLLER, NLB_CONTROLLER)]
    entries = []
    for one in parents:
        old = next((entry for entry in before if entry.get("parentRef") == one.parent), {})
        conditions = [_of_route(route, condition, old, now) for condition in (one.accepted, one.resolved)]
        entries.append(
            {"parentRef": dict(one.parent), "controllerName": one.controller, "conditions": conditions}
        )
    return {**status, "parents": [*others, *entries]}


def _of_route(route: KubernetesObject, new: Condition, old: Mapping[str, Any], now: str) -> dict[str, Any]:
    values = "True" if new.is_true else "False", new.reason, new.message
    return _condition(new.type, values, old.get("conditions") or (), _generation(route), now)


def _listener(
    gateway: KubernetesObject,
    listener: Mapping[str, Any],
    before: Mapping[str, Any],
    attached: Mapping[str, int],
    *,
    is_active: bool,
    now: str,
) -> dict[str, Any]:
    programmed = (
        ("True", _PROGRAMMED, "Listener is programmed.")
        if is_active
        else ("False", "Pending", "Listener is not programmed.")
    )
    wanted = {
        "Conflicted": ("False", "NoConflicts", "Listener has no conflict."),
        _ACCEPTED: ("True", _ACCEPTED, "Listener is accepted."),
        "ResolvedRefs": ("True", "ResolvedRefs", "Listener has all refs resolved."),
        _PROGRAMMED: programmed,
    }
    old, generation = before.get("conditions") or (), _generation(gateway)
    return {
        "name": listener["name"],
        "supportedKinds": [{"group": GATEWAY_GROUP, "kind": kind} for kind in supported_kinds(listener)],
        "attachedRoutes": attached.get(str(listener["name"]), 0),
        "conditions": [_condition(kind, values, old, generation, now) for kind, values in wanted.items()],
    }


def _updated(item: KubernetesObject, kind: str, values: tuple[str, str, str], now: str) -> Status:
    status = dict(item.get("status") or {})
    old: Sequence[Mapping[str, Any]] = status.get("conditions") or ()
    generation = _generation(item)
    status["conditions"] = [
        _condition(kind, values, old, generation, now) if one.get("type") == kind else dict(one)
        for one in old
    ]
    return status


def _condition(
    kind: str,
    values: tuple[str, str, str],
    before: Iterable[Mapping[str, Any]],
    generation: int,
    now: str,
) -> dict[str, Any]:
    """Return a condition; it keeps its time while only its generation changes."""
    state, reason, message = values
    old = next((one for one in before if one.get("type") == kind), {})
    is_same = (old.get("status"), old.get("reason"), old.get("message")) == values
    return {
        "type": kind,
        "status": state,
        "reason": reason,
        "message": message,
        "observedGeneration": generation,
        "lastTransitionTime": old.get("lastTransitionTime", now) if is_same else now,
    }


def _generation(item: KubernetesObject) -> int:
    return int(object_fields.metadata(item).get("generation") or 1)
