"""Builds the stack of a Gateway: one ALB or NLB with the listeners that have routes.

Source: recordings of the real v3.5.0 on random clusters; release notes for what each release serves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import certificate_discovery
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    KubernetesObject,
)
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.feature_gates import DEFAULTS, Gate, is_on
from testbed.lb_controller.core.frontend import IPV4
from testbed.lb_controller.core.stack import (
    Action,
    FixedResponse,
    Forward,
    Listener,
    ListenerRule,
    MutualAuthentication,
    Stack,
    WeightedTargetGroup,
)
from testbed.lb_controller.gateway import gateway_settings, route_actions, route_matches
from testbed.lb_controller.gateway.gateway_objects import ALB_CONTROLLER, NLB_CONTROLLER, GatewayObjects
from testbed.lb_controller.gateway.gateway_settings import APPLICATION, NETWORK
from testbed.lb_controller.gateway.gateway_target_groups import TargetGroups
from testbed.lb_controller.gateway.route_actions import RouteActions
from testbed.lb_controller.gateway.route_attachment import Attached, attached, listeners_of

_NOT_FOUND = Action(
    type="fixed-response", fixed_response=FixedResponse(status_code="404", content_type="text/plain")
)
_SECURE = ("HTTPS", "TLS")
_TYPES = {ALB_CONTROLLER: APPLICATION, NLB_CONTROLLER: NETWORK}
CONTROLLERS = tuple(_TYPES)
"""The controller names of GatewayClasses that this controller serves."""
_TAG_PREFIXES = {APPLICATION: "gateway.k8s.aws.alb", NETWORK: "gateway.k8s.aws.nlb"}
_SERVED = {
    APPLICATION: (Gate.ALB_GATEWAY_API, Fact.GATEWAYS_OF_LAYER_7),
    NETWORK: (Gate.NLB_GATEWAY_API, Fact.GATEWAYS_OF_LAYER_4),
}


def balancer_type(gateway: KubernetesObject, objects: GatewayObjects) -> str | None:
    """`application` or `network` by the class of a Gateway; None for a class of another controller."""
    return _TYPES.get(objects.controller_of(gateway))


def why_not_served(kind: str, options: ControllerOptions) -> str | None:
    """Return why the controller makes nothing for Gateways of a balancer type; None if it does."""
    gate, fact = _SERVED[kind]
    if not options.release.has(fact):
        return f"{options.release} does not serve it: {fact.dates.since} is the first that does"
    if not is_on(gate, options):
        on_since = next(tag for tag, value in DEFAULTS[gate].items() if value)
        return f"the feature gate {gate.value} is off; it is on by default from {on_since} on"
    return None


def hosts(objects: GatewayObjects) -> set[str]:
    """The host names of all listeners and routes, for which certificates may be looked up."""
    found = {
        str(listener["hostname"])
        for gateway in objects.gateways
        for listener in listeners_of(gateway)
        if listener.get("hostname")
    }
    return found | {
        str(host) for route in objects.routes for host in object_fields.spec(route).get("hostnames") or ()
    }


def empty(gateway: KubernetesObject, kind: str, options: ControllerOptions) -> Stack:
    """Return the stack of a Gateway that is being deleted; `kind` is `application` or `network`."""
    return Stack(
        id=object_fields.key(gateway), cluster_name=options.cluster_name, tag_prefix=_TAG_PREFIXES[kind]
    )


def build(
    gateway: KubernetesObject,
    objects: GatewayObjects,
    cluster: ClusterState,
    options: ControllerOptions,
    *,
    unaccepted: frozenset[str] = frozenset(),
) -> Stack:
    """Build the stack of a Gateway that the controller serves.

    Args:
        unaccepted: ListenerRuleConfigurations that the controller has not accepted yet, `namespace/name`.

    Raises:
        BuildError: a route, a listener or a setting is invalid; the Gateway stays as it is.
    """
    kind = balancer_type(gateway, objects) or APPLICATION
    settings = gateway_settings.configuration(gateway, objects)
    frontend = gateway_settings.frontend(gateway, settings, kind, cluster, options)
    targets = TargetGroups(
        gateway,
        kind,
        settings,
        objects,
        options,
        backend_security_group=frontend.backend_security_group,
        is_dualstack=frontend.load_balancer.ip_address_type != IPV4,
    )
    actions = RouteActions(targets, objects, cluster, unaccepted)
    by_listener = attached(gateway, objects)
    listeners: list[Listener] = []
    rules: list[ListenerRule] = []
    # One listener of ELBv2 serves all of the Gateway's that have its port.
    for port, of_port in sorted(_by_port(gateway).items()):
        routes = [(one, route) for one in of_port for route in by_listener[str(one["name"])]]
        if not routes:
            continue
        listener = of_port[0]
        default = (_NOT_FOUND,)
        if kind == NETWORK:
            weighted = _weighted(routes, targets, cluster)
            if not any(one.weight for one in weighted):
                continue
            default = (Action(type="forward", forward=Forward(target_groups=weighted)),)
        else:
            rules += _rules(port, listener, [route for _, route in routes], actions)
        listeners.append(
            _listener(port, of_port, [route for _, route in routes], default, settings, cluster, options)
        )
    return replace(
        empty(gateway, kind, options),
        load_balancer=frontend.load_balancer,
        security_groups=(frontend.security_group,) if frontend.security_group else (),
        listeners=tuple(listeners),
        rules=tuple(rules),
        target_groups=tuple(targets.groups.values()),
        bindings=tuple(targets.bindings.values()),
    )


def _by_port(gateway: KubernetesObject) -> dict[int, list[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    for listener in listeners_of(gateway):
        found.setdefault(int(listener["port"]), []).append(listener)
    return found


def _rules(
    port: int, listener: Mapping[str, Any], routes: Sequence[Attached], actions: RouteActions
) -> list[ListenerRule]:
    return [
        ListenerRule(
            listener_port=port,
            priority=priority,
            actions=actions.of(match, listener),
            conditions=(*match.conditions(), *actions.conditions(match)),
            transforms=route_actions.transforms(match),
        )
        for priority, match in enumerate(route_matches.ordered(routes), start=1)
    ]


def _weighted(
    routes: Sequence[tuple[Mapping[str, Any], Attached]], targets: TargetGroups, cluster: ClusterState
) -> tuple[WeightedTargetGroup, ...]:
    return tuple(
        target
        for listener, one in routes
        for rule in object_fields.spec(one.route).get("rules") or ()
        for target in route_actions.weighted_targets(one.route, rule, listener, targets, cluster)
    )


def _listener(
    port: int,
    of_port: Sequence[Mapping[str, Any]],
    routes: Sequence[Attached],
    default: tuple[Action, ...],
    settings: Mapping[str, Any],
    cluster: ClusterState,
    options: ControllerOptions,
) -> Listener:
    protocol = _protocol(of_port[0])
    configured = _configuration(settings, str(of_port[0]["protocol"]), port)
    found = Listener(
        port=port,
        protocol=protocol,
        default_actions=default,
        attributes={one["key"]: one["value"] for one in configured.get("listenerAttributes") or ()},
        tags=gateway_settings.shared_tags(settings, options),
    )
    if protocol not in _SECURE:
        return found
    return replace(
        found,
        certificates=_certificates(configured, of_port, routes, cluster),
        ssl_policy=configured.get("sslPolicy") or options.default_ssl_policy,
        alpn_policy=(configured.get("alpnPolicy") or "None") if protocol == "TLS" else None,
        mutual_authentication=_mutual_authentication(configured.get("mutualAuthentication")),
    )


def _protocol(listener: Mapping[str, Any]) -> str:
    """TLS that the targets end is TCP to an NLB."""
    is_passed = (listener.get("tls") or {}).get("mode") == "Passthrough"
    return "TCP" if listener["protocol"] == "TLS" and is_passed else str(listener["protocol"])


def _configuration(settings: Mapping[str, Any], protocol: str, port: int) -> Mapping[str, Any]:
    for one in settings.get("listenerConfigurations") or ():
        if one.get("protocolPort") == f"{protocol}:{port}":
            found: Mapping[str, Any] = one
            return found
    return {}


def _certificates(
    configured: Mapping[str, Any],
    of_port: Sequence[Mapping[str, Any]],
    routes: Sequence[Attached],
    cluster: ClusterState,
) -> tuple[str, ...]:
    """Those of the configuration, else those in ACM for the host names of listeners, or else of routes.

    Raises:
        BuildError: ACM has none for a host name.
    """
    default = configured.get("defaultCertificate")
    named = (*((default,) if default else ()), *(configured.get("certificates") or ()))
    if named:
        return named
    hosts = {str(one["hostname"]) for one in of_port if one.get("hostname")}
    hosts |= {host for one in routes for host in one.hostnames} if not hosts else set()
    if not hosts:
        raise BuildError("no certificate found: neither the listener nor its routes have a host name")
    return certificate_discovery.discover(sorted(hosts), cluster.certificates)


def _mutual_authentication(wanted: Mapping[str, Any] | None) -> MutualAuthentication | None:
    if not wanted:
        return None
    return MutualAuthentication(
        mode=wanted["mode"],
        trust_store_arn=wanted.get("trustStore") or "",
        ignore_client_certificate_expiry=wanted.get("ignoreClientCertificateExpiry"),
        advertise_trust_store_ca_names=wanted.get("advertiseTrustStoreCaNames") or "",
    )
