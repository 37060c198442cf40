"""Builds the stack of a Service that the controller owns: an NLB (pkg/service/model_build{er,_listener}.go).

Each port of the Service gets one listener and one target group; TLS ends at the NLB where `ssl-cert` covers
the port.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from testbed.dated_releases import Release
from testbed.kubernetes import object_fields
from testbed.lb_controller.core import annotation_dates, go_text, subnet_discovery
from testbed.lb_controller.core.annotations import Annotations, of_service
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    KubernetesObject,
    Subnet,
)
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.feature_gates import Gate, is_on
from testbed.lb_controller.core.stack import (
    Action,
    Listener,
    Stack,
)
from testbed.lb_controller.service import nlb_settings, service_ownership
from testbed.lb_controller.service.nlb_actions import ListenerTargets
from testbed.lb_controller.service.nlb_target_access import Balancer

TAG_PREFIX = "service.k8s.aws"
ALPN_POLICIES = ("None", "HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred")
QUIC = {"UDP": "QUIC", "TCP_UDP": "TCP_QUIC"}

Port = Mapping[str, Any]
"""One entry of `spec.ports[]` of a Service."""


def build_service(service: KubernetesObject, cluster: ClusterState, options: ControllerOptions) -> Stack:
    """Build the stack of a Service; an empty one if this controller does not (or no longer) own it.

    Raises:
        BuildError: an annotation is invalid, or the Service is deleted under deletion protection.
    """
    service = annotation_dates.read_by(options.release, service)
    cluster = annotation_dates.cluster_read_by(options.release, cluster)
    empty = Stack(id=object_fields.key(service), cluster_name=options.cluster_name, tag_prefix=TAG_PREFIX)
    if not service_ownership.is_supported(service, options):
        if service_ownership.is_pending_finalization(service):
            _refuse_protected(service)
        return empty
    stack_tags = empty.stack_tags()
    chosen_scheme = nlb_settings.scheme(service, cluster, options, stack_tags)
    chosen_subnets = _subnets(service, cluster, options, chosen_scheme, stack_tags)
    frontend = nlb_settings.build(service, cluster, options, chosen_scheme, chosen_subnets, stack_tags)
    balancer = Balancer(
        options=options,
        scheme=chosen_scheme,
        subnets=chosen_subnets,
        is_dualstack=frontend.load_balancer.ip_address_type == "dualstack",
        has_security_groups=bool(frontend.load_balancer.security_groups),
        backend_security_group=frontend.backend_security_group,
        vpc_cidrs=cluster.vpc_cidrs,
        vpc_ipv6_cidrs=cluster.vpc_ipv6_cidrs,
        tags=frontend.load_balancer.tags,
    )
    targets = ListenerTargets(service, cluster, balancer)
    return replace(
        empty,
        load_balancer=frontend.load_balancer,
        security_groups=(frontend.security_group,) if frontend.security_group else (),
        listeners=tuple(
            _listener(service, port, protocol, targets) for port, protocol in _listened(service, options)
        ),
        target_groups=tuple(targets.groups.values()),
        bindings=tuple(targets.bindings.values()),
    )


def alpn_policy(
    annotations: Annotations, listener_protocol: str, target_protocol: str, release: Release
) -> str | None:
    """The policy of `aws-load-balancer-alpn-policy`, on TLS listeners only.

    Raises:
        BuildError: the policy is unknown; v2.1 and v2.2 also refuse one before a target group without TLS.
    """
    if listener_protocol != "TLS":
        return None
    found = annotations.text("aws-load-balancer-alpn-policy")
    if found is None:
        return None
    if not release.has(Fact.ALPN_BEFORE_PLAIN_TARGETS) and target_protocol != "TLS":
        raise BuildError(f"ALPN policy {found} needs a target group of protocol TLS, not {target_protocol}")
    if found not in ALPN_POLICIES:
        policies = ", ".join(ALPN_POLICIES)
        raise BuildError(f"invalid ALPN policy {found}, policy must be one of [{policies}]")
    return found


def listener_attributes(annotations: Annotations, protocol: str, port: int) -> dict[str, str]:
    """The attributes of `aws-load-balancer-listener-attributes.<PROTOCOL>-<port>`.

    Raises:
        BuildError: the annotation is not a mapping.
    """
    return annotations.mapping(f"aws-load-balancer-listener-attributes.{protocol}-{port}") or {}


def merges_tcp_and_udp(service: KubernetesObject, options: ControllerOptions) -> bool:
    """True if a TCP and a UDP port of the same number become one TCP_UDP listener."""
    try:
        wanted = of_service(service).boolean("aws-load-balancer-enable-tcp-udp-listener")
    except BuildError:
        wanted = None  # the controller, too, takes what it cannot read as absent
    by_flag = options.enable_tcp_udp_listener or is_on(Gate.ENABLE_TCP_UDP_LISTENER, options)
    return by_flag if wanted is None else wanted


def check_merge(ports: Sequence[Port]) -> None:
    """Refuse ports of one number that are not one TCP and one UDP port.

    Raises:
        BuildError: the ports cannot be merged.
    """
    if len(ports) != 2:
        raise BuildError(f"can only merge two ports, not {len(ports)} ({go_text.bracketed(ports)})")
    protocols = [_protocol(port) for port in ports]
    for protocol in protocols:
        if protocol not in ("TCP", "UDP"):
            raise BuildError(f"unsupported protocol for merging: {protocol}")
    if protocols[0] == protocols[1]:
        raise BuildError(f"protocols can't match for merging: {protocols[0]}")


def upgraded_to_quic(protocol: str) -> str:
    """The protocol of a port that `aws-load-balancer-quic-enabled-ports` lists.

    Raises:
        BuildError: it is not over UDP.
    """
    if protocol not in QUIC:
        raise BuildError(f"Unsupported QUIC upgrade for protocol {protocol}")
    return QUIC[protocol]


def _listened(service: KubernetesObject, options: ControllerOptions) -> list[tuple[Port, str]]:
    """The Service's ports with the protocol of their listeners."""
    ports = object_fields.spec(service).get("ports") or ()
    quic = of_service(service).items("aws-load-balancer-quic-enabled-ports") or ()
    return [
        (port, upgraded_to_quic(protocol) if str(port["port"]) in quic else protocol)
        for port, protocol in _merged_ports(service, ports, options)
    ]


def _merged_ports(
    service: KubernetesObject, ports: Sequence[Port], options: ControllerOptions
) -> list[tuple[Port, str]]:
    if not merges_tcp_and_udp(service, options):
        return [(port, _protocol(port)) for port in ports]
    by_number: dict[int, list[Port]] = {}
    for port in ports:
        by_number.setdefault(port["port"], []).append(port)
    for same in by_number.values():
        if len(same) > 1:
            check_merge(same)
    return [(same[0], "TCP_UDP" if len(same) > 1 else _protocol(same[0])) for same in by_number.values()]


def _listener(service: KubernetesObject, port: Port, protocol: str, targets: ListenerTargets) -> Listener:
    annotations, options = of_service(service), targets.balancer.options
    tls = _Tls.read(service, options)
    target_protocol = protocol
    if protocol == "TCP" and tls.covers(port):
        protocol = "TLS"
        if annotations.text("aws-load-balancer-backend-protocol") == "ssl":
            target_protocol = "TLS"
    forward = targets.forward(port, protocol, target_protocol)
    return Listener(
        port=port["port"],
        protocol=protocol,
        default_actions=(Action(type="forward", forward=forward),),
        certificates=tls.certificates if protocol == "TLS" else (),
        ssl_policy=tls.policy if protocol == "TLS" else None,
        alpn_policy=alpn_policy(annotations, protocol, target_protocol, options.release),
        attributes=listener_attributes(annotations, protocol, port["port"]),
        tags=targets.balancer.tags,
    )


@dataclass(frozen=True, slots=True)
class _Tls:
    """The ports on which TLS ends at the NLB: those of `ssl-ports`, by default all."""

    certificates: tuple[str, ...]
    ports: frozenset[str]
    policy: str

    @classmethod
    def read(cls, service: KubernetesObject, options: ControllerOptions) -> _Tls:
        annotations = of_service(service)
        ports = annotations.items("aws-load-balancer-ssl-ports") or []
        known = object_fields.spec(service).get("ports") or ()
        names = {name for port in known for name in (port.get("name"), str(port["port"]))}
        unused = [port for port in ports if port not in names]
        if unused:
            raise BuildError(f"Unused port in ssl-ports annotation {go_text.bracketed(unused)}")
        return cls(
            tuple(annotations.items("aws-load-balancer-ssl-cert") or ()),
            frozenset(ports),
            annotations.text("aws-load-balancer-ssl-negotiation-policy") or options.default_ssl_policy,
        )

    def covers(self, port: Port) -> bool:
        if not self.certificates:
            return False
        return not self.ports or not self.ports.isdisjoint({port.get("name"), str(port["port"])})


def _subnets(
    service: KubernetesObject,
    cluster: ClusterState,
    options: ControllerOptions,
    chosen_scheme: str,
    stack_tags: Mapping[str, str],
) -> tuple[Subnet, ...]:
    named = of_service(service).items("aws-load-balancer-subnets")
    if named is not None:
        return subnet_discovery.by_name_or_id(named, cluster)
    standing = subnet_discovery.standing(cluster, stack_tags, chosen_scheme)
    if standing is not None:
        return standing
    address_type = nlb_settings.ip_address_type(of_service(service), options)
    return subnet_discovery.discovered(cluster, chosen_scheme, address_type, options.release)


def _refuse_protected(service: KubernetesObject) -> None:
    attributes = of_service(service).mapping("aws-load-balancer-attributes") or {}
    if go_text.boolean(attributes.get("deletion_protection.enabled", "false")):
        name = object_fields.name(service)
        raise BuildError(f"deletion_protection is enabled, cannot delete the service: {name}")


def _protocol(port: Port) -> str:
    return str(port.get("protocol") or "TCP")
