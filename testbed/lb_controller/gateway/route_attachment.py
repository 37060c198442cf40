"""Which routes attach to which listeners of a Gateway, and for which host names.

A listener takes a route that names it, by the kinds and namespaces that it allows, and where a host name of
both fits. Source: the Gateway API, and recordings of v3.5.0: an HTTP listener takes HTTPRoutes alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes import object_fields
from testbed.kubernetes.kinds import GATEWAY_GROUP
from testbed.lb_controller.core.build_inputs import KubernetesObject
from testbed.lb_controller.gateway.gateway_objects import (
    GRPC_ROUTE,
    HTTP_ROUTE,
    TCP_ROUTE,
    TLS_ROUTE,
    UDP_ROUTE,
    GatewayObjects,
)

_KINDS = {
    "HTTP": (HTTP_ROUTE,),
    "HTTPS": (HTTP_ROUTE, GRPC_ROUTE),
    "TCP": (TCP_ROUTE,),
    "UDP": (UDP_ROUTE,),
    "TLS": (TLS_ROUTE, TCP_ROUTE),
    "TCP_UDP": (TCP_ROUTE, UDP_ROUTE),
}
_LAYER_4 = frozenset({TCP_ROUTE, UDP_ROUTE})
_NOT_ALLOWED = "Listener does not allow route attachment, {} does not match between listener and route"
"""The text for a kind is recorded; that for a namespace is formed alike."""
_WILDCARD = "*."


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a route's status.

    Attributes:
        type: `Accepted` or `ResolvedRefs`.
        is_true: whether its status is `True`.
    """

    type: str
    is_true: bool
    reason: str
    message: str = ""


ACCEPTED = Condition("Accepted", True, "Accepted")


@dataclass(frozen=True, slots=True)
class Attached:
    """A route at a listener.

    Attributes:
        hostnames: the host names of both, the narrower ones; empty for any host.
    """

    route: KubernetesObject
    hostnames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """Where a route attaches by one of its parent references.

    Attributes:
        listeners: the attached routes by name of the listener.
        accepted: the condition that the route gets for it.
    """

    listeners: Mapping[str, Attached]
    accepted: Condition = ACCEPTED


def listeners_of(gateway: KubernetesObject) -> Sequence[Mapping[str, Any]]:
    """The listeners in the spec of a Gateway."""
    return object_fields.spec(gateway).get("listeners") or ()


def supported_kinds(listener: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of routes that a listener takes: those that it names, else those of its protocol."""
    named = [entry["kind"] for entry in (listener.get("allowedRoutes") or {}).get("kinds") or ()]
    by_protocol = _KINDS.get(str(listener.get("protocol")), ())
    # A listener may not name what its protocol cannot carry; but a GRPCRoute may be forced on HTTP.
    return tuple(named) or by_protocol


def parents(route: KubernetesObject, gateway: KubernetesObject) -> list[Mapping[str, Any]]:
    """The parent references of a route that name a Gateway."""
    found = []
    for reference in object_fields.spec(route).get("parentRefs") or ():
        if (reference.get("kind") or "Gateway") != "Gateway":
            continue
        if (reference.get("group") or GATEWAY_GROUP) != GATEWAY_GROUP:
            continue
        namespace = reference.get("namespace") or object_fields.namespace(route)
        if (namespace, reference.get("name")) == (
            object_fields.namespace(gateway),
            object_fields.name(gateway),
        ):
            found.append(reference)
    return found


def attachment(
    route: KubernetesObject,
    reference: Mapping[str, Any],
    gateway: KubernetesObject,
    objects: GatewayObjects,
) -> Attachment:
    """Return where a route attaches by a reference to a Gateway, or why it does not."""
    named = [one for one in listeners_of(gateway) if _is_meant(one, reference)]
    if not named:
        return Attachment({}, Condition("Accepted", False, "NoMatchingParent"))
    in_namespace = [one for one in named if _allows_namespace(one, route, gateway, objects)]
    if not in_namespace:
        return Attachment({}, _not_allowed("namespace"))
    of_kind = [one for one in in_namespace if route["kind"] in supported_kinds(one)]
    if not of_kind:
        return Attachment({}, _not_allowed("kind"))
    hosts = object_fields.spec(route).get("hostnames") or ()
    found = {}
    for one in of_kind:
        matching = common_hostnames(hosts, one.get("hostname"))
        if matching is not None or route["kind"] in _LAYER_4:
            found[str(one["name"])] = Attached(route, matching or ())
    if not found:
        return Attachment({}, Condition("Accepted", False, "NoMatchingListenerHostname"))
    return Attachment(found)


def attached(gateway: KubernetesObject, objects: GatewayObjects) -> dict[str, list[Attached]]:
    """Return the routes at each listener of a Gateway, by name of the listener."""
    found: dict[str, list[Attached]] = {str(one["name"]): [] for one in listeners_of(gateway)}
    for route in objects.routes:
        by_listener: dict[str, Attached] = {}
        for reference in parents(route, gateway):
            by_listener |= attachment(route, reference, gateway, objects).listeners
        for name, one in by_listener.items():
            found[name].append(one)
    return found


def common_hostnames(of_route: Iterable[str], of_listener: str | None) -> tuple[str, ...] | None:
    """Return the host names that both mean, the narrower of each pair; None if none fits.

    Empty for any host: neither names one.
    """
    hosts = tuple(of_route)
    if not of_listener:
        return hosts
    if not hosts:
        return (of_listener,)
    found = [
        host if _covers(of_listener, host) else of_listener
        for host in hosts
        if _covers(of_listener, host) or _covers(host, of_listener)
    ]
    return tuple(dict.fromkeys(found)) or None


def _covers(pattern: str, host: str) -> bool:
    """True if a host name is a pattern's own, or ends in what follows its `*`."""
    if not pattern.startswith(_WILDCARD):
        return pattern == host
    return host.endswith(pattern[1:]) and host != pattern[1:]


def _is_meant(listener: Mapping[str, Any], reference: Mapping[str, Any]) -> bool:
    name, port = reference.get("sectionName"), reference.get("port")
    return (not name or listener.get("name") == name) and (not port or listener.get("port") == port)


def _allows_namespace(
    listener: Mapping[str, Any],
    route: KubernetesObject,
    gateway: KubernetesObject,
    objects: GatewayObjects,
) -> bool:
    allowed = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    namespace = object_fields.namespace(route)
    match allowed.get("from") or "Same":
        case "All":
            return True
        case "Selector":
            labels = objects.namespaces.get(namespace, {})
            wanted = (allowed.get("selector") or {}).get("matchLabels") or {}
            return all(labels.get(key) == value for key, value in wanted.items())
        case _:
            return namespace == object_fields.namespace(gateway)


def _not_allowed(what: str) -> Condition:
    return Condition("Accepted", False, "NotAllowedByListeners", _NOT_ALLOWED.format(what))
