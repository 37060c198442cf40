"""The objects of the Gateway API that the controller reads, by kind and name.

API groups: `gateway.networking.k8s.io` has Gateways, classes and routes, `gateway.k8s.aws` the three kinds of
configuration. A field that an object leaves out has the default of its CRD.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.kubernetes import object_fields
from testbed.kubernetes.kinds import AWS_GATEWAY_GROUP, GATEWAY_GROUP, ROUTE_KINDS
from testbed.lb_controller.core.build_inputs import KubernetesObject

ALB_CONTROLLER, NLB_CONTROLLER = "gateway.k8s.aws/alb", "gateway.k8s.aws/nlb"
"""Values of `GatewayClass.spec.controllerName`."""
HTTP_ROUTE, GRPC_ROUTE = "HTTPRoute", "GRPCRoute"
TCP_ROUTE, UDP_ROUTE, TLS_ROUTE = "TCPRoute", "UDPRoute", "TLSRoute"

Key = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class GatewayObjects:
    """The objects of a cluster.

    Attributes:
        gateways: in the order in which they came.
        classes: GatewayClasses by name.
        routes: of every kind, in the order in which they came.
        namespaces: labels by name; a namespace that no manifest has is missing.
        grants: ReferenceGrants.
    """

    gateways: tuple[KubernetesObject, ...] = ()
    classes: Mapping[str, KubernetesObject] = field(default_factory=dict)
    routes: tuple[KubernetesObject, ...] = ()
    load_balancer_configurations: Mapping[Key, KubernetesObject] = field(default_factory=dict)
    target_group_configurations: Mapping[Key, KubernetesObject] = field(default_factory=dict)
    listener_rule_configurations: Mapping[Key, KubernetesObject] = field(default_factory=dict)
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    grants: tuple[KubernetesObject, ...] = ()

    @classmethod
    def of(cls, objects: Iterable[KubernetesObject]) -> GatewayObjects:
        """Pick them out of the objects of a cluster."""
        by_kind: dict[tuple[str, str], list[KubernetesObject]] = {}
        for item in objects:
            group = str(item.get("apiVersion") or "").rpartition("/")[0]
            by_kind.setdefault((group, str(item.get("kind"))), []).append(item)

        def keyed(kind: str) -> dict[Key, KubernetesObject]:
            return {key_of(item): item for item in by_kind.get((AWS_GATEWAY_GROUP, kind), ())}

        def standard(kind: str) -> list[KubernetesObject]:
            return by_kind.get((GATEWAY_GROUP, kind), [])

        return cls(
            gateways=tuple(standard("Gateway")),
            classes={object_fields.name(item): item for item in standard("GatewayClass")},
            routes=tuple(item for kind in ROUTE_KINDS for item in standard(kind)),
            load_balancer_configurations=keyed("LoadBalancerConfiguration"),
            target_group_configurations=keyed("TargetGroupConfiguration"),
            listener_rule_configurations=keyed("ListenerRuleConfiguration"),
            namespaces={
                object_fields.name(item): object_fields.labels_of(item)
                for item in by_kind.get(("", "Namespace"), ())
            },
            grants=tuple(standard("ReferenceGrant")),
        )

    def controller_of(self, gateway: KubernetesObject) -> str:
        """The controller name of a Gateway's class; "" if the class does not exist."""
        gateway_class = self.classes.get(str(object_fields.spec(gateway).get("gatewayClassName")))
        return str(object_fields.spec(gateway_class).get("controllerName") or "")

    def target_group_configuration(self, service: KubernetesObject) -> Mapping[str, Any]:
        """The spec of the TargetGroupConfiguration that names a Service; {} without one."""
        for (namespace, _), item in sorted(self.target_group_configurations.items()):
            reference = object_fields.spec(item).get("targetReference") or {}
            is_service = (reference.get("kind") or "Service") == "Service"
            is_named = reference.get("name") == object_fields.name(service)
            if is_service and is_named and namespace == object_fields.namespace(service):
                return object_fields.spec(item)
        return {}

    def may_refer(self, route: KubernetesObject, namespace: str, service: str) -> bool:
        """True if a route may name a Service: of its own namespace, or granted by that of the Service."""
        if namespace == object_fields.namespace(route):
            return True
        return any(
            _grants(object_fields.spec(grant), route, service)
            for grant in self.grants
            if object_fields.namespace(grant) == namespace
        )


def key_of(item: KubernetesObject) -> Key:
    """Namespace and name of an object."""
    return object_fields.namespace(item), object_fields.name(item)


def _grants(grant: Mapping[str, Any], route: KubernetesObject, service: str) -> bool:
    from_route = any(
        (entry.get("group"), entry.get("kind"), entry.get("namespace"))
        == (GATEWAY_GROUP, route["kind"], object_fields.namespace(route))
        for entry in grant.get("from") or ()
    )
    to_service = any(
        entry.get("kind") == "Service" and entry.get("name") in (None, "", service)
        for entry in grant.get("to") or ()
    )
    return from_route and to_service
