"""Who makes the load balancer of an Ingress, Service or Gateway that no controller here handles. Pure.

Only what the manifests show counts: a class, an IngressClass, an address in the status. That no IngressClass
is among them says nothing: a cluster's classes come from other charts than its Ingresses.

Sources: kubernetes.io, concepts/services-networking/ingress (classes, default class) and service
(loadBalancerClass); EKS user guide, auto-configure-alb and auto-configure-nlb; cloud-provider-aws,
`EnsureLoadBalancer` (external and nlb-ip are left to the other controller, everything else that is no NLB
becomes a Classic Load Balancer).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from testbed.errors import Location
from testbed.kubernetes import object_fields
from testbed.lb_controller.core.annotations import INGRESS_CLASS as CLASS_ANNOTATION
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions, KubernetesObject
from testbed.lb_controller.gateway import gateway_stack
from testbed.lb_controller.gateway.gateway_objects import GatewayObjects
from testbed.lb_controller.ingress import groups, ingress_classes
from testbed.lb_controller.ingress.ingress_classes import IngressObjects
from testbed.lb_controller.service import in_tree_nlb, service_ownership

AUTO_MODE = "EKS Auto Mode"
AUTO_MODE_INGRESS = "eks.amazonaws.com/alb"
AUTO_MODE_SERVICE = "eks.amazonaws.com/nlb"
CLASS_MISSING = "which is not among the manifests"
CLASSIC = "the cloud provider, as a Classic Load Balancer"
_TYPE = f"{in_tree_nlb.PREFIX}type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplanned:
    """An Ingress, a Gateway or a Service of type LoadBalancer whose load balancer is not planned here.

    Attributes:
        item: `Kind namespace/name`.
        taker: who makes its load balancer, in words; "" if nobody does.
        reason: why nobody does, or may not; "" if a class or the status says that somebody does.
        addresses: those of its status.
    """

    item: str
    where: Location
    taker: str = ""
    reason: str = ""
    addresses: tuple[str, ...] = ()

    @property
    def makes_one_each(self) -> bool:
        """True if two objects of this taker have a load balancer each, False if they share the taker's."""
        return not self.item.startswith("Ingress ") or self.taker.startswith(AUTO_MODE)

    def __str__(self) -> str:
        """One sentence."""
        at = f", at {', '.join(self.addresses)}" if self.addresses else ""
        if self.taker and not self.reason:
            return f"{self.item} gets its load balancer from {self.taker}{at}"
        if self.taker:
            return f"{self.item} gets its load balancer from {self.taker}{at}: {self.reason}"
        return f"{self.item} gets no load balancer: {self.reason}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "object": self.item,
            "where": str(self.where),
            "taker": self.taker,
            "reason": self.reason,
            "addresses": list(self.addresses),
        }


def unplanned(
    item: KubernetesObject, where: Location, known: IngressObjects, options: ControllerOptions, *, auto: bool
) -> Unplanned:
    """Say who makes the load balancer of an object for which no stack is planned.

    Args:
        item: an Ingress, or a Service of type LoadBalancer.
        known: the classes and parameters among the manifests.
        auto: True on a cluster with EKS Auto Mode, as `has_auto_mode` tells.
    """
    find = _of_ingress if item["kind"] == "Ingress" else _of_service
    taker, reason = find(item, known, options, auto)
    addresses = object_fields.balancer_addresses(item)
    if addresses and reason:
        taker, reason = taker or "a controller that these manifests do not name", ""
    return Unplanned(
        item=object_fields.title(item), where=where, taker=taker, reason=reason, addresses=addresses
    )


def unplanned_gateway(
    gateway: KubernetesObject, where: Location, known: GatewayObjects, options: ControllerOptions
) -> Unplanned:
    """Say who makes the load balancer of a Gateway for which no stack is planned."""
    item, name = object_fields.title(gateway), str(object_fields.spec(gateway).get("gatewayClassName"))
    kind = gateway_stack.balancer_type(gateway, known)
    if kind:
        return Unplanned(item=item, where=where, reason=gateway_stack.why_not_served(kind, options) or "")
    controller = known.controller_of(gateway)
    taker = f"the controller {controller} of the GatewayClass {name}"
    if not controller:
        taker = f"the controller of the GatewayClass {name}, which is not among the manifests"
    status = gateway.get("status") or {}
    addresses = tuple(str(one.get("value")) for one in status.get("addresses") or ())
    return Unplanned(item=item, where=where, taker=taker, addresses=addresses)


def has_auto_mode(items: Iterable[KubernetesObject]) -> bool:
    """True if an object has a class of EKS Auto Mode, which is then the default class of Services."""
    specs = [object_fields.spec(item) for item in items]
    return any(
        spec.get("controller") == AUTO_MODE_INGRESS or spec.get("loadBalancerClass") == AUTO_MODE_SERVICE
        for spec in specs
    )


def _of_ingress(
    ingress: KubernetesObject,
    known: IngressObjects,
    options: ControllerOptions,
    auto: bool,  # noqa: ARG001 an Ingress of Auto Mode always names its class
) -> tuple[str, str]:
    if object_fields.is_being_deleted(ingress):
        return "", "it is being deleted"
    annotation = object_fields.annotations_of(ingress).get(CLASS_ANNOTATION)
    if annotation is not None:
        return f"the controller of the class {annotation}", ""
    name = object_fields.spec(ingress).get("ingressClassName")
    if name is not None and name not in known.classes:
        return f"the controller of the IngressClass {name}, {CLASS_MISSING}", ""
    try:
        found = ingress_classes.find_class(ingress, known)
        groups.find_group(ingress, known, options)
    except BuildError as error:
        return "", str(error)
    if found is None:
        return (
            "the cluster's default IngressClass, if it has one",
            "it names no class, and no IngressClass of the manifests is the default",
        )
    controller, name = object_fields.spec(found).get("controller"), object_fields.name(found)
    if controller == AUTO_MODE_INGRESS:
        return f"{AUTO_MODE}, by the IngressClass {name}", ""
    return f"the controller {controller} of the IngressClass {name}", ""


def _of_service(
    service: KubernetesObject,
    known: IngressObjects,  # noqa: ARG001 the classes of Services are no objects
    options: ControllerOptions,
    auto: bool,
) -> tuple[str, str]:
    if object_fields.is_being_deleted(service):
        return "", "it is being deleted"
    name = object_fields.spec(service).get("loadBalancerClass")
    if name == AUTO_MODE_SERVICE:
        return f"{AUTO_MODE}, by its class {name}", ""
    if name and name != options.load_balancer_class:
        return f"the controller of the load balancer class {name}", ""
    if name:
        return (
            "",
            f"{options.release} of the AWS Load Balancer Controller does not take the class {name} here",
        )
    kind = object_fields.annotations_of(service).get(_TYPE, "")
    if kind in (service_ownership.EXTERNAL, service_ownership.NLB_IP):
        target = f"{in_tree_nlb.PREFIX}nlb-target-type"
        lacks = kind == service_ownership.EXTERNAL and target not in object_fields.annotations_of(service)
        without = f" without {target}: ip or instance" if lacks else ""
        return "", (
            f"{_TYPE}: {kind} keeps the cloud provider away, and {options.release} of the AWS Load Balancer "
            f"Controller does not take the Service{without}"
        )
    return f"{AUTO_MODE}, whose class is the default" if auto else CLASSIC, ""
