"""Target groups of an NLB, and who may reach their targets (pkg/service/model_build_target_group.go)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.lb_controller import gotext, names, objects, target_groups
from testbed.lb_controller.annotations import Annotations, of_service
from testbed.lb_controller.inputs import BuildError, ControllerOptions, KubernetesObject, Subnet
from testbed.lb_controller.nlb_load_balancer import source_ranges
from testbed.lb_controller.ownership import NLB_IP
from testbed.lb_controller.stack import (
    TRAFFIC_PORT,
    HealthCheck,
    Kind,
    Matcher,
    NetworkingRule,
    Ref,
    Reference,
    TargetGroup,
    TargetGroupBinding,
)
from testbed.lb_controller.target_groups import EMPTY_PORT, INSTANCE, IP

PRESERVE_CLIENT_IP = "preserve_client_ip.enabled"
PROXY_PROTOCOL = "proxy_protocol_v2.enabled"
_WITH_UDP = ("UDP", "TCP_UDP")
_ANYWHERE = ("0.0.0.0/0", "::/0")

Port = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """What the target groups need to know of their NLB."""

    options: ControllerOptions
    scheme: str
    subnets: Sequence[Subnet]
    is_dualstack: bool
    has_security_groups: bool
    backend_security_group: Reference | None
    vpc_cidrs: tuple[str, ...]
    vpc_ipv6_cidrs: tuple[str, ...]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _HealthDefaults:
    """What a health check is unless annotations say otherwise; times in seconds."""

    protocol: str
    port: str
    path: str
    timeout: int
    healthy: int
    unhealthy: int
    interval: int = 10


_DEFAULTS = _HealthDefaults("TCP", TRAFFIC_PORT, "/", 10, 3, 3)


def build(
    service: KubernetesObject, port: Port, protocol: str, balancer: Balancer
) -> tuple[TargetGroup, TargetGroupBinding]:
    """The target group of one port of the Service.

    Raises:
        BuildError: an annotation is invalid, or the port cannot be a target.
    """
    options = balancer.options
    kind = target_type(service, port, options)
    check = health_check(service, kind)
    group_attributes = attributes(service, port)
    preserves = preserves_client_ip(kind, group_attributes)
    is_ipv6 = "IPv6" in (objects.spec(service).get("ipFamilies") or ())
    if is_ipv6 and not balancer.is_dualstack:
        raise BuildError("unsupported IPv6 configuration, lb not dual-stack")
    group_port = target_groups.target_group_port(port, kind)
    if not group_port:
        raise BuildError(EMPTY_PORT[kind])
    suffix = names.digest(
        options.cluster_name,
        objects.uid(service),
        group_port,
        port["port"],
        kind,
        protocol,
        check.protocol,
        check.interval_seconds,
    )
    namespace, name = objects.namespace(service), objects.name(service)
    group = TargetGroup(
        id=f"{namespace}/{name}:{port['port']}",
        name=names.object_name(namespace, name, suffix),
        target_type=kind,
        port=group_port,
        protocol=protocol,
        ip_address_type="ipv6" if is_ipv6 else "ipv4",
        health_check=check,
        attributes=group_attributes,
        tags=balancer.tags,
    )
    target_port = port.get("nodePort") or 0 if kind == INSTANCE else objects.target_port(port)
    binding = TargetGroupBinding(
        id=group.id,
        name=group.name,
        namespace=namespace,
        service_name=name,
        service_port=port["port"],
        target_group=Ref(Kind.TARGET_GROUP, group.id),
        target_type=kind,
        target_group_protocol=protocol,
        ip_address_type=group.ip_address_type,
        vpc_id=options.vpc_id,
        networking=_networking(service, group, target_port, balancer, preserves=preserves),
        node_selector=_node_selector(service, kind),
        multi_cluster=of_service(service).boolean("aws-load-balancer-multi-cluster-target-group") or False,
    )
    return group, binding


def target_type(service: KubernetesObject, port: Port, options: ControllerOptions) -> str:
    """`ip` for `nlb-ip`, else `aws-load-balancer-nlb-target-type`, else the flag.

    Raises:
        BuildError: the type is not possible for the Service.
    """
    annotations, spec = of_service(service), objects.spec(service)
    wanted = annotations.text("aws-load-balancer-nlb-target-type") or options.default_target_type
    if wanted == IP and not options.enable_ip_target_type:
        raise BuildError(f"unsupported targetType: {wanted} when EnableIPTargetType is false")
    if annotations.text("aws-load-balancer-type") == NLB_IP or wanted == IP:
        return IP
    if spec.get("type") == "ClusterIP":
        raise BuildError(
            f'unsupported service type "{spec["type"]}" for load balancer target type "{wanted}"'
        )
    if not port.get("nodePort") and spec.get("allocateLoadBalancerNodePorts") is False:
        raise BuildError("unable to support instance target type with an unallocated NodePort")
    return INSTANCE


def health_check(service: KubernetesObject, kind: str) -> HealthCheck:
    """TCP on the traffic port; with externalTrafficPolicy Local and instances the node's own health port.

    Raises:
        BuildError: an annotation is invalid.
    """
    annotations, defaults = of_service(service), _health_defaults(service, kind)
    protocol = (annotations.text("aws-load-balancer-healthcheck-protocol") or defaults.protocol).upper()
    if protocol not in ("TCP", "HTTP", "HTTPS"):
        given = annotations.text("aws-load-balancer-healthcheck-protocol")
        raise BuildError(f"unsupported health check protocol {given}")
    is_http = protocol != "TCP"
    codes = annotations.text("aws-load-balancer-healthcheck-success-codes") or "200-399"
    path = annotations.text("aws-load-balancer-healthcheck-path")
    return HealthCheck(
        port=health_check_port(service, kind, defaults.port),
        protocol=protocol,
        path=(defaults.path if path is None else path) if is_http else None,
        matcher=Matcher(http_code=codes) if is_http else None,
        interval_seconds=_number(annotations, "interval", defaults.interval),
        timeout_seconds=_number(annotations, "timeout", defaults.timeout),
        healthy_threshold=_number(annotations, "healthy-threshold", defaults.healthy),
        unhealthy_threshold=_number(annotations, "unhealthy-threshold", defaults.unhealthy),
    )


def health_check_port(service: KubernetesObject, kind: str, default: str) -> int | str:
    """`aws-load-balancer-healthcheck-port`: a number, `traffic-port`, or the name of a port of the Service.

    Raises:
        BuildError: the Service has no such port.
    """
    found = of_service(service).text("aws-load-balancer-healthcheck-port") or default
    return target_groups.resolve_health_check_port(service, found, kind)


def attributes(service: KubernetesObject, port: Port) -> dict[str, str]:
    """`aws-load-balancer-target-group-attributes`, then those of the port, then the proxy protocol's own.

    Raises:
        BuildError: a value is invalid.
    """
    annotations = of_service(service)
    suffix = "aws-load-balancer-target-group-attributes"
    number = port.get("port", 0)
    found = {PROXY_PROTOCOL: "false", **_checked(annotations, suffix)}
    of_port = _checked(annotations, f"{suffix}.{number}")
    found.update({key: value for key, value in of_port.items() if value})
    with_proxy = annotations.text("aws-load-balancer-proxy-protocol-per-target-group")
    if with_proxy is not None:
        ports = [item.strip() for item in with_proxy.split(",") if item.strip()]
        for item in ports:
            if not item.lstrip("+-").isdecimal():
                raise BuildError(f"invalid port number in proxy-protocol-per-target-group: {item}")
        found[PROXY_PROTOCOL] = str(str(number) in ports).lower()
    everywhere = annotations.text("aws-load-balancer-proxy-protocol")
    if everywhere is not None:
        if everywhere != "*":
            raise BuildError(
                f"invalid value {everywhere} for Load Balancer proxy protocol v2 annotation, "
                "only value currently supported is *"
            )
        found[PROXY_PROTOCOL] = "true"
    return found


def preserves_client_ip(kind: str, group_attributes: Mapping[str, str]) -> bool:
    """Whether targets see the client's address: as asked for, else instances yes and IPs no.

    Raises:
        BuildError: the attribute is no boolean.
    """
    found = group_attributes.get(PRESERVE_CLIENT_IP)
    return kind == INSTANCE if found is None else _flag(PRESERVE_CLIENT_IP, found)


def _health_defaults(service: KubernetesObject, kind: str) -> _HealthDefaults:
    spec = objects.spec(service)
    is_local = spec.get("externalTrafficPolicy") == "Local" and spec.get("type") == "LoadBalancer"
    if kind != INSTANCE or not is_local:
        return _DEFAULTS
    port = str(spec.get("healthCheckNodePort") or 0)
    return _HealthDefaults("HTTP", port, "/healthz", 6, 2, 2)


def _number(annotations: Annotations, name: str, default: int) -> int:
    found = annotations.integer(f"aws-load-balancer-healthcheck-{name}", bits=32)
    return default if found is None else found


def _checked(annotations: Annotations, suffix: str) -> dict[str, str]:
    found = annotations.mapping(suffix) or {}
    if PRESERVE_CLIENT_IP in found:
        _flag(PRESERVE_CLIENT_IP, found[PRESERVE_CLIENT_IP])
    return found


def _flag(key: str, value: str) -> bool:
    try:
        return gotext.boolean(value)
    except BuildError as error:
        raise BuildError(f"failed to parse attribute {key}={value}: {error}") from None


def _node_selector(service: KubernetesObject, kind: str) -> Mapping[str, object] | None:
    if kind != INSTANCE:
        return None
    labels = of_service(service).mapping("aws-load-balancer-target-node-labels")
    return {"matchLabels": labels} if labels else None


def _networking(
    service: KubernetesObject,
    group: TargetGroup,
    target_port: int | str,
    balancer: Balancer,
    *,
    preserves: bool,
) -> tuple[NetworkingRule, ...]:
    if balancer.has_security_groups:
        return _from_security_group(group, target_port, balancer)
    manages = of_service(service).boolean("aws-load-balancer-manage-backend-security-group-rules")
    if manages is False:
        return ()
    return _from_addresses(service, group, target_port, balancer, preserves=preserves)


def _from_security_group(
    group: TargetGroup, target_port: int | str, balancer: Balancer
) -> tuple[NetworkingRule, ...]:
    source = balancer.backend_security_group
    if source is None:
        return ()
    ports: list[tuple[str, int | str | None]] = []
    check = group.health_check.port
    with_udp = group.protocol in _WITH_UDP
    if balancer.options.disable_restricted_security_group_rules:
        ports = [("TCP", None), ("UDP", None)] if with_udp else [("TCP", None)]
    else:
        if with_udp:
            ports.append(("UDP", target_port))
        if not with_udp or group.protocol == "TCP_UDP" or check in (TRAFFIC_PORT, target_port):
            ports.append(("TCP", target_port))
        if check not in (TRAFFIC_PORT, target_port):
            ports.append(("TCP", check))
    return (NetworkingRule(ports=tuple(ports), security_groups=(source,)),)


def _from_addresses(
    service: KubernetesObject,
    group: TargetGroup,
    target_port: int | str,
    balancer: Balancer,
    *,
    preserves: bool,
) -> tuple[NetworkingRule, ...]:
    """Before NLBs had security groups: clients by address if targets see them, else its subnets."""
    is_ipv6 = group.ip_address_type == "ipv6"
    of_subnets = tuple(
        cidr for subnet in balancer.subnets for cidr in (subnet.ipv6_cidrs if is_ipv6 else (subnet.cidr,))
    )
    traffic, is_default = of_subnets, False
    if group.protocol in _WITH_UDP or preserves:
        traffic = source_ranges(service)
        if not traffic:
            traffic, is_default = _default_sources(balancer, is_ipv6=is_ipv6), True
    protocols = ("TCP", "UDP") if group.protocol == "TCP_UDP" else ("UDP",)
    if group.protocol not in _WITH_UDP:
        protocols = ("TCP",)
    rules = [NetworkingRule(ports=tuple((item, target_port) for item in protocols), cidrs=traffic)]
    check = group.health_check.port
    checks_traffic_port = group.protocol != "UDP" and check in (TRAFFIC_PORT, target_port)
    is_covered = checks_traffic_port and (
        not preserves or is_default or any(cidr in _ANYWHERE for cidr in traffic)
    )
    if of_subnets and not is_covered:
        port = target_port if check == TRAFFIC_PORT else check
        rules.append(NetworkingRule(ports=(("TCP", port),), cidrs=of_subnets))
    return tuple(rules)


def _default_sources(balancer: Balancer, *, is_ipv6: bool) -> tuple[str, ...]:
    if balancer.scheme != "internal":
        return ("::/0",) if is_ipv6 else ("0.0.0.0/0",)
    cidrs = balancer.vpc_ipv6_cidrs if is_ipv6 else balancer.vpc_cidrs
    if not cidrs:
        raise BuildError(f"unable to resolve the CIDRs of VPC {balancer.options.vpc_id}")
    return cidrs
