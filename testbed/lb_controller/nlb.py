"""The stack of a Service that the controller owns: an NLB (pkg/service/model_build{er,_listener}.go).

One listener and one target group per port of the Service; TLS ends at the balancer where `ssl-cert` covers
the port.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from testbed.lb_controller import gotext, nlb_load_balancer, nlb_target_groups, objects, ownership, subnets
from testbed.lb_controller.annotations import Annotations, of_service
from testbed.lb_controller.inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    KubernetesObject,
    Subnet,
    Version,
)
from testbed.lb_controller.nlb_target_groups import Balancer
from testbed.lb_controller.stack import (
    Action,
    Forward,
    Kind,
    Listener,
    Ref,
    Stack,
    TargetGroup,
    TargetGroupBinding,
    WeightedTargetGroup,
)

TAG_PREFIX = "service.k8s.aws"
ALPN_POLICIES = ("None", "HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred")

Port = Mapping[str, Any]
"""One entry of `spec.ports[]` of a Service."""


def build_service(service: KubernetesObject, cluster: ClusterState, options: ControllerOptions) -> Stack:
    """What is wanted for a Service; an empty stack if it is not (or no longer) this controller's.

    Raises:
        BuildError: an annotation is invalid, or it is being deleted under deletion protection.
    """
    empty = Stack(id=objects.key(service), cluster_name=options.cluster_name, tag_prefix=TAG_PREFIX)
    if not ownership.is_supported(service, options):
        if ownership.is_pending_finalization(service):
            _refuse_protected(service)
        return empty
    stack_tags = empty.stack_tags()
    chosen_scheme = nlb_load_balancer.scheme(service, cluster, options, stack_tags)
    chosen_subnets = _subnets(service, cluster, chosen_scheme, stack_tags)
    frontend = nlb_load_balancer.build(service, cluster, options, chosen_scheme, chosen_subnets, stack_tags)
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
    listeners: list[Listener] = []
    groups: list[TargetGroup] = []
    bindings: list[TargetGroupBinding] = []
    for port, protocol in _listened(service, options):
        listener, group, binding = _listener(service, port, protocol, balancer)
        listeners.append(listener)
        groups.append(group)
        bindings.append(binding)
    return replace(
        empty,
        load_balancer=frontend.load_balancer,
        security_groups=(frontend.security_group,) if frontend.security_group else (),
        listeners=tuple(listeners),
        target_groups=tuple(groups),
        bindings=tuple(bindings),
    )


def alpn_policy(
    annotations: Annotations, listener_protocol: str, target_protocol: str, version: Version
) -> str | None:
    """`aws-load-balancer-alpn-policy`, on TLS listeners only.

    Raises:
        BuildError: it is none; v2.1 and v2.2 also refused it before a target group without TLS.
    """
    if listener_protocol != "TLS":
        return None
    found = annotations.text("aws-load-balancer-alpn-policy")
    if found is None:
        return None
    if version is Version.V2_1 and target_protocol != "TLS":
        raise BuildError(f"ALPN policy {found} needs a target group of protocol TLS, not {target_protocol}")
    if found not in ALPN_POLICIES:
        policies = ", ".join(ALPN_POLICIES)
        raise BuildError(f"invalid ALPN policy {found}, policy must be one of [{policies}]")
    return found


def listener_attributes(annotations: Annotations, protocol: str, port: int) -> dict[str, str]:
    """`aws-load-balancer-listener-attributes.<PROTOCOL>-<port>`.

    Raises:
        BuildError: it is no mapping.
    """
    return annotations.mapping(f"aws-load-balancer-listener-attributes.{protocol}-{port}") or {}


def merges_tcp_and_udp(service: KubernetesObject, options: ControllerOptions) -> bool:
    """Whether a TCP and a UDP port of the same number become one TCP_UDP listener."""
    try:
        wanted = of_service(service).boolean("aws-load-balancer-enable-tcp-udp-listener")
    except BuildError:
        wanted = None  # the controller, too, takes what it cannot read as absent
    return options.enable_tcp_udp_listener if wanted is None else wanted


def check_merge(ports: Sequence[Port]) -> None:
    """Refuse ports of one number that are not one TCP and one UDP port.

    Raises:
        BuildError: they are not.
    """
    if len(ports) != 2:
        raise BuildError(f"can only merge two ports, not {len(ports)} ({gotext.bracketed(ports)})")
    protocols = [_protocol(port) for port in ports]
    for protocol in protocols:
        if protocol not in ("TCP", "UDP"):
            raise BuildError(f"unsupported protocol for merging: {protocol}")
    if protocols[0] == protocols[1]:
        raise BuildError(f"protocols can't match for merging: {protocols[0]}")


def _listened(service: KubernetesObject, options: ControllerOptions) -> list[tuple[Port, str]]:
    """The Service's ports with the protocol of their listeners."""
    ports = objects.spec(service).get("ports") or ()
    if not merges_tcp_and_udp(service, options):
        return [(port, _protocol(port)) for port in ports]
    by_number: dict[int, list[Port]] = {}
    for port in ports:
        by_number.setdefault(port["port"], []).append(port)
    for same in by_number.values():
        if len(same) > 1:
            check_merge(same)
    return [(same[0], "TCP_UDP" if len(same) > 1 else _protocol(same[0])) for same in by_number.values()]


def _listener(
    service: KubernetesObject, port: Port, protocol: str, balancer: Balancer
) -> tuple[Listener, TargetGroup, TargetGroupBinding]:
    annotations = of_service(service)
    tls = _Tls.read(service, balancer.options)
    target_protocol = protocol
    if protocol == "TCP" and tls.covers(port):
        protocol = "TLS"
        if annotations.text("aws-load-balancer-backend-protocol") == "ssl":
            target_protocol = "TLS"
    group, binding = nlb_target_groups.build(service, port, target_protocol, balancer)
    reference = WeightedTargetGroup(target_group=Ref(Kind.TARGET_GROUP, group.id))
    listener = Listener(
        port=port["port"],
        protocol=protocol,
        default_actions=(Action(type="forward", forward=Forward(target_groups=(reference,))),),
        certificates=tls.certificates if protocol == "TLS" else (),
        ssl_policy=tls.policy if protocol == "TLS" else None,
        alpn_policy=alpn_policy(annotations, protocol, target_protocol, balancer.options.version),
        attributes=listener_attributes(annotations, protocol, port["port"]),
        tags=balancer.tags,
    )
    return listener, group, binding


@dataclass(frozen=True, slots=True)
class _Tls:
    """Which ports end TLS at the balancer: those of `ssl-ports`, without it all."""

    certificates: tuple[str, ...]
    ports: frozenset[str]
    policy: str

    @classmethod
    def read(cls, service: KubernetesObject, options: ControllerOptions) -> _Tls:
        annotations = of_service(service)
        ports = annotations.items("aws-load-balancer-ssl-ports") or []
        known = objects.spec(service).get("ports") or ()
        names = {name for port in known for name in (port.get("name"), str(port["port"]))}
        unused = [port for port in ports if port not in names]
        if unused:
            raise BuildError(f"Unused port in ssl-ports annotation {gotext.bracketed(unused)}")
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
    service: KubernetesObject, cluster: ClusterState, chosen_scheme: str, stack_tags: Mapping[str, str]
) -> tuple[Subnet, ...]:
    named = of_service(service).items("aws-load-balancer-subnets")
    if named is not None:
        return subnets.by_name_or_id(named, cluster)
    standing = subnets.standing(cluster, stack_tags, chosen_scheme)
    return subnets.discovered(cluster) if standing is None else standing


def _refuse_protected(service: KubernetesObject) -> None:
    attributes = of_service(service).mapping("aws-load-balancer-attributes") or {}
    if gotext.boolean(attributes.get("deletion_protection.enabled", "false")):
        name = objects.name(service)
        raise BuildError(f"deletion_protection is enabled, cannot delete the service: {name}")


def _protocol(port: Port) -> str:
    return str(port.get("protocol") or "TCP")
