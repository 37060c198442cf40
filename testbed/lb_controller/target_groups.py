"""Target groups behind an Ingress, and the binding that says whose endpoints are the targets.

One target group per Ingress, Service and port text. Settings come from annotations of the Service, where that
is silent of the Ingress; class parameters beat both (pkg/ingress/model_build_target_group.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.lb_controller import names, objects, tags
from testbed.lb_controller.annotations import Annotations, of_ingress
from testbed.lb_controller.inputs import (
    BuildError,
    ControllerOptions,
    GroupID,
    KubernetesObject,
    Member,
    Version,
)
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

INSTANCE = "instance"
IP = "ip"
HTTP1 = "HTTP1"
HTTP2 = "HTTP2"
GRPC = "GRPC"
UNKNOWN_PORT = 1
"""Port of a target group whose Service names its targetPort: targets register with their own port anyway."""

_INTERVAL, _TIMEOUT, _HEALTHY, _UNHEALTHY = 15, 5, 2, 2
_PATHS = {HTTP1: "/", HTTP2: "/", GRPC: "/AWS.ALB/healthcheck"}
_HTTP_CODES = "200"
_GRPC_CODES = "12"  # UNIMPLEMENTED: what any gRPC server answers to an unknown method


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the target groups of a stack have in common.

    `backend_security_group` None: the controller leaves the targets' security groups alone.
    """

    group: GroupID
    options: ControllerOptions
    is_dualstack: bool = False
    backend_security_group: Reference | None = None


def resource_id(member: Member, service: str, port: int | str) -> str:
    """`namespace/ingress-service:port`, port as it is written."""
    return f"{objects.key(member.ingress)}-{service}:{port}"


def build(
    member: Member, service: KubernetesObject, port: int | str, around: Surroundings
) -> tuple[TargetGroup, TargetGroupBinding]:
    """The target group of a Service port behind an Ingress.

    Raises:
        BuildError: the Service has no such port, or an annotation is invalid.
    """
    service_port = objects.service_port(service, port)
    target_group = build_target_group(member, service, port, service_port, around)
    target_port = (
        service_port.get("nodePort") or 0
        if target_group.target_type == INSTANCE
        else objects.target_port(service_port)
    )
    binding = TargetGroupBinding(
        id=target_group.id,
        name=target_group.name,
        namespace=objects.namespace(service),
        service_name=objects.name(service),
        service_port=port,
        target_group=Ref(Kind.TARGET_GROUP, target_group.id),
        target_type=target_group.target_type,
        target_group_protocol=target_group.protocol,
        ip_address_type=target_group.ip_address_type,
        vpc_id=around.options.vpc_id,
        networking=networking(target_port, target_group, around),
        node_selector=node_selector(member, service, target_group.target_type),
    )
    return target_group, binding


def build_target_group(
    member: Member,
    service: KubernetesObject,
    port: int | str,
    service_port: Mapping[str, Any],
    around: Surroundings,
) -> TargetGroup:
    """The target group alone.

    Raises:
        BuildError: an annotation is invalid.
    """
    options = around.options
    merged = of_ingress(service).over(objects.annotations_of(member.ingress))
    target_type = _target_type(member, merged, options)
    protocol = _one_of(merged, "backend-protocol", ("HTTP", "HTTPS"), "backend protocol must be within")
    version = _one_of(
        merged, "backend-protocol-version", (HTTP1, HTTP2, GRPC), "backend protocol version must be within"
    )
    health_check = _health_check(service, merged, target_type, protocol, version)
    attributes = {**(merged.mapping("target-group-attributes") or {})}
    group_tags = tags.with_defaults(tags.of_backend(member, service, options), options)
    is_ipv6 = "IPv6" in (objects.spec(service).get("ipFamilies") or ())
    if is_ipv6 and not around.is_dualstack:
        raise BuildError("unsupported IPv6 configuration, lb not dual-stack")
    group_port = target_group_port(service_port, target_type)
    if not group_port:
        raise BuildError(EMPTY_PORT[target_type])
    control_port = target_control_port(merged, objects.name(service), port)
    if control_port is not None and target_type == INSTANCE:
        raise BuildError("target control port is not supported for instance target target group")
    identity = [group_port, target_type, protocol, version]
    if control_port is not None:
        identity.append(control_port)
    return TargetGroup(
        id=resource_id(member, objects.name(service), port),
        name=names.target_group(options.cluster_name, around.group, member.ingress, service, port, *identity),
        target_type=target_type,
        port=group_port,
        protocol=protocol,
        protocol_version=version,
        ip_address_type="ipv6" if is_ipv6 else "ipv4",
        health_check=health_check,
        target_control_port=control_port,
        attributes=attributes,
        tags=group_tags,
    )


EMPTY_PORT = {
    INSTANCE: (
        "TargetGroup port is empty. When using Instance targets, "
        "your service be must of type 'NodePort' or 'LoadBalancer'"
    ),
    IP: "TargetGroup port is empty. Are you using the correct service type?",
}


def target_group_port(service_port: Mapping[str, Any], target_type: str) -> int:
    """The nodePort for instance targets, else the targetPort; 1 if that has a name; 0 if there is none."""
    if target_type == INSTANCE:
        return int(service_port.get("nodePort") or 0)
    port = objects.target_port(service_port)
    return port if isinstance(port, int) else UNKNOWN_PORT


def target_control_port(annotations: Annotations, service: str, port: int | str) -> int | None:
    """The annotation `target-control-port.<service>.<port>`.

    Raises:
        BuildError: it is no number.
    """
    return annotations.integer(f"target-control-port.{service}.{port}", bits=32)


def health_check_path(annotations: Annotations, version: str) -> str:
    """`healthcheck-path`, or the default of the protocol version."""
    found = annotations.text("healthcheck-path")
    return _PATHS[version] if found is None else found


def matcher(annotations: Annotations, version: str) -> Matcher:
    """`success-codes`, which are grpc-status codes for a GRPC group, or the default of the version."""
    found = annotations.text("success-codes")
    if version == GRPC:
        return Matcher(grpc_code=_GRPC_CODES if found is None else found)
    return Matcher(http_code=_HTTP_CODES if found is None else found)


def networking(
    target_port: int | str, target_group: TargetGroup, around: Surroundings
) -> tuple[NetworkingRule, ...]:
    """Who may reach the targets: the backend security group, at the ports in use."""
    source = around.backend_security_group
    if source is None:
        return ()
    ports: list[int | str | None] = [target_port]
    is_open = around.options.version is Version.V2_1  # rules for single ports came later
    if is_open or around.options.disable_restricted_security_group_rules:
        ports = [None]
    else:
        if target_group.health_check.port != TRAFFIC_PORT:
            ports.append(target_group.health_check.port)
        if target_group.target_control_port is not None:
            ports.append(target_group.target_control_port)
    return tuple(NetworkingRule(ports=(("TCP", port),), security_groups=(source,)) for port in ports)


def node_selector(member: Member, service: KubernetesObject, target_type: str) -> Mapping[str, object] | None:
    """Which nodes are instance targets, from `target-node-labels`; None for all, and for ip targets.

    Raises:
        BuildError: the annotation is invalid.
    """
    if target_type != INSTANCE:
        return None
    merged = of_ingress(service).over(objects.annotations_of(member.ingress))
    labels = merged.mapping("target-node-labels")
    return None if labels is None else {"matchLabels": labels}


def _target_type(member: Member, annotations: Annotations, options: ControllerOptions) -> str:
    chosen = (
        objects.spec(member.class_params).get("targetType")
        or annotations.text("target-type")
        or options.default_target_type
    )
    if chosen not in (INSTANCE, IP):
        raise BuildError(f"unknown targetType: {chosen}")
    if chosen == IP and not options.enable_ip_target_type:
        raise BuildError(f"unsupported targetType: {chosen} when EnableIPTargetType is false")
    return str(chosen)


def _one_of(annotations: Annotations, suffix: str, allowed: tuple[str, ...], complaint: str) -> str:
    found = annotations.text(suffix)
    if found is None:
        return allowed[0]
    if found not in allowed:
        raise BuildError(f"{complaint} [{', '.join(allowed)}]: {found}")
    return found


def _health_check(
    service: KubernetesObject, annotations: Annotations, target_type: str, protocol: str, version: str
) -> HealthCheck:
    port = _health_check_port(service, annotations, target_type)
    checked_protocol = annotations.text("healthcheck-protocol") or protocol
    if checked_protocol not in ("HTTP", "HTTPS"):
        raise BuildError("healthCheckProtocol must be within [HTTP, HTTPS]")
    numbers = {}
    for suffix, default in (
        ("healthcheck-interval-seconds", _INTERVAL),
        ("healthcheck-timeout-seconds", _TIMEOUT),
        ("healthy-threshold-count", _HEALTHY),
        ("unhealthy-threshold-count", _UNHEALTHY),
    ):
        found = annotations.integer(suffix, bits=32)
        numbers[suffix] = default if found is None else found
    return HealthCheck(
        port=port,
        protocol=checked_protocol,
        path=health_check_path(annotations, version),
        matcher=matcher(annotations, version),
        interval_seconds=numbers["healthcheck-interval-seconds"],
        timeout_seconds=numbers["healthcheck-timeout-seconds"],
        healthy_threshold=numbers["healthy-threshold-count"],
        unhealthy_threshold=numbers["unhealthy-threshold-count"],
    )


def _health_check_port(service: KubernetesObject, annotations: Annotations, target_type: str) -> int | str:
    found = annotations.text("healthcheck-port")
    return resolve_health_check_port(service, found or TRAFFIC_PORT, target_type)


def resolve_health_check_port(service: KubernetesObject, found: str, target_type: str) -> int | str:
    """The port of a health check from `traffic-port`, a number, or the name of a port of the Service.

    Raises:
        BuildError: the Service has no such port, or it is not known which number a named port is.
    """
    if found == TRAFFIC_PORT:
        return found
    if found.isdecimal():
        return int(found)
    try:
        service_port = objects.service_port(service, found)
    except BuildError as error:
        raise BuildError(f"failed to resolve healthCheckPort: {error}") from None
    if target_type == INSTANCE:
        return int(service_port.get("nodePort") or 0)
    port = objects.target_port(service_port)
    if isinstance(port, str):
        raise BuildError(
            "cannot use named healthCheckPort for IP TargetType when service's targetPort is a named port"
        )
    return port
