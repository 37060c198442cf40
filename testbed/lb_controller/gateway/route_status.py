"""The conditions that the controller writes on a route, for each Gateway that the route names.

Texts and reasons are those of recordings of the real v3.5.0, typing errors included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core.build_inputs import ClusterState, KubernetesObject
from testbed.lb_controller.gateway.gateway_objects import ALB_CONTROLLER, NLB_CONTROLLER, GatewayObjects
from testbed.lb_controller.gateway.route_attachment import ACCEPTED, Condition, attachment, parents

RESOLVED = Condition("ResolvedRefs", True, "ResolvedRefs")
_OURS = (ALB_CONTROLLER, NLB_CONTROLLER)


@dataclass(frozen=True, slots=True)
class ParentStatus:
    """An entry of `status.parents` of a route.

    Attributes:
        parent: the reference as the route has it.
        controller: the controller name of the Gateway's class.
    """

    parent: Mapping[str, Any]
    controller: str
    resolved: Condition
    accepted: Condition


def parent_statuses(
    route: KubernetesObject,
    objects: GatewayObjects,
    cluster: ClusterState,
    unaccepted: frozenset[str] = frozenset(),
) -> Iterator[ParentStatus]:
    """Yield the status of a route at each Gateway of this controller that it names.

    Args:
        unaccepted: ListenerRuleConfigurations that the controller has not accepted yet, `namespace/name`.
    """
    for gateway in objects.gateways:
        controller = objects.controller_of(gateway)
        for reference in parents(route, gateway) if controller in _OURS else ():
            accepted = attachment(route, reference, gateway, objects).accepted
            if accepted == ACCEPTED:
                accepted = _filters(route, objects, unaccepted)
            yield ParentStatus(reference, controller, _references(route, objects, cluster), accepted)


def _references(route: KubernetesObject, objects: GatewayObjects, cluster: ClusterState) -> Condition:
    for rule in object_fields.spec(route).get("rules") or ():
        for backend in rule.get("backendRefs") or ():
            namespace = backend.get("namespace") or object_fields.namespace(route)
            name = str(backend.get("name"))
            if not objects.may_refer(route, namespace, name):
                return Condition("ResolvedRefs", False, "RefNotPermitted")
            if (namespace, name) not in cluster.services:
                text = f"Service ({namespace}:{name}) not found)"
                return Condition("ResolvedRefs", False, "BackendNotFound", text)
    return RESOLVED


def _filters(route: KubernetesObject, objects: GatewayObjects, unaccepted: frozenset[str]) -> Condition:
    for rule in object_fields.spec(route).get("rules") or ():
        for one in rule.get("filters") or ():
            if one.get("type") != "ExtensionRef":
                continue
            key = (object_fields.namespace(route), str((one.get("extensionRef") or {}).get("name")))
            name = "/".join(key)
            if key not in objects.listener_rule_configurations or name in unaccepted:
                text = f"ListenerRuleConfiguration [{name}] is not accepted. Reason:  status unknown)"
                return Condition("Accepted", False, "IncompatibleFilters", text)
    return ACCEPTED
