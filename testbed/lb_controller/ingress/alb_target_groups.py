"""Target groups behind an Ingress, each with the binding to the Service of its targets.

One target group per Ingress, Service and port text. Settings come from annotations of the Service, else of
the Ingress; class parameters override both (pkg/ingress/model_build_target_group.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import resource_names, service_ports, tags
from testbed.lb_controller.core.annotations import Annotations, of_ingress
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ControllerOptions,
    GroupID,
    KubernetesObject,
    Member,
)
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.feature_gates import takes_ip_targets
from testbed.lb_controller.core.service_ports import INSTANCE, IP, target_group_port
from testbed.lb_controller.core.stack import (
    GRPC,
    HTTP1,
    HTTP2,
    TRAFFIC_PORT,
    Kind,
    NetworkingRule,
    Ref,
    Reference,
    TargetGroup,
    TargetGroupBinding,
)
from testbed.lb_controller.ingress.alb_health_checks import health_check_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The inputs that all target groups of a stack share.

    With `backend_security_group` None the controller leaves the targets' security groups alone.
    """

    group: GroupID
    options: ControllerOptions
    is_dualstack: bool = False
    backend_security_group: Reference | None = None


def resource_id(member: Member, service: str, port: int | str) -> str:
    """`namespace/ingress-service:port`, with the port as the manifest has it."""
    return f"{object_fields.key(member.ingress)}-{service}:{port}"


def build(
    member: Member, service: KubernetesObject, port: int | str, around: Surroundings
) -> tuple[TargetGroup, TargetGroupBinding]:
    """Build the target group and the binding of a Service port behind an Ingress.

    Raises:
        BuildError: the Service has no such port, or an annotation is invalid.
    """
    service_port = service_ports.service_port(service, port)
    target_group = build_target_group(member, service, port, service_port, around)
    target_port = (
        service_port.get("nodePort") or 0
        if target_group.target_type == INSTANCE
        else service_ports.target_port(service_port)
    )
    has_protocol = around.options.release.has(Fact.BINDING_HAS_PROTOCOL)
    binding = TargetGroupBinding(
        id=target_group.id,
        name=target_group.name,
        namespace=object_fields.namespace(service),
        service_name=object_fields.name(service),
        service_port=port,
        target_group=Ref(Kind.TARGET_GROUP, target_group.id),
        target_type=target_group.target_type,
        target_group_protocol=target_group.protocol if has_protocol else None,
        ip_address_type=target_group.ip_address_type,
        vpc_id=around.options.vpc_id,
        networking=networking(target_port, target_group, around),
        node_selector=node_selector(member, service, target_group.target_type),
        multi_cluster=_merged(member, service).boolean("multi-cluster-target-group") or False,
    )
    return target_group, binding


def build_target_group(
    member: Member,
    service: KubernetesObject,
    port: int | str,
    service_port: Mapping[str, Any],
    around: Surroundings,
) -> TargetGroup:
    """Build the target group alone.

    Raises:
        BuildError: an annotation is invalid.
    """
    options = around.options
    merged = _merged(member, service)
    target_type = _target_type(member, merged, options)
    protocol = _one_of(merged, "backend-protocol", ("HTTP", "HTTPS"), "backend protocol must be within")
    version = _one_of(
        merged, "backend-protocol-version", (HTTP1, HTTP2, GRPC), "backend protocol version must be within"
    )
    health_check = health_check_of(service, merged, target_type, protocol, version, options.release)
    attributes = {**(merged.mapping("target-group-attributes") or {})}
    group_tags = tags.with_defaults(tags.of_backend(member, service, options), options)
    is_ipv6 = "IPv6" in (object_fields.spec(service).get("ipFamilies") or ())
    if is_ipv6 and not around.is_dualstack:
        raise BuildError("unsupported IPv6 configuration, lb not dual-stack")
    group_port = target_group_port(service_port, target_type)
    service_ports.check_target_group_port(group_port, target_type, options.release)
    control_port = target_control_port(merged, object_fields.name(service), port)
    if control_port is not None and target_type == INSTANCE:
        raise BuildError("target control port is not supported for instance target target group")
    identity = [group_port, target_type, protocol, version]
    if control_port is not None:
        identity.append(control_port)
    return TargetGroup(
        id=resource_id(member, object_fields.name(service), port),
        name=resource_names.target_group(
            options.cluster_name, around.group, member.ingress, service, port, *identity
        ),
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


def target_control_port(annotations: Annotations, service: str, port: int | str) -> int | None:
    """The annotation `target-control-port.<service>.<port>`.

    Raises:
        BuildError: it is not a number.
    """
    return annotations.integer(f"target-control-port.{service}.{port}", bits=32)


def networking(
    target_port: int | str, target_group: TargetGroup, around: Surroundings
) -> tuple[NetworkingRule, ...]:
    """The sources that may reach the targets: the backend security group, at the ports in use."""
    source = around.backend_security_group
    if source is None:
        return ()
    ports: list[int | str | None] = [target_port]
    is_open = not around.options.release.has(Fact.TARGET_PORTS_RESTRICTED)
    if is_open or around.options.disable_restricted_security_group_rules:
        ports = [None]
    else:
        if target_group.health_check.port != TRAFFIC_PORT:
            ports.append(target_group.health_check.port)
        if target_group.target_control_port is not None:
            ports.append(target_group.target_control_port)
    return tuple(NetworkingRule(ports=(("TCP", port),), security_groups=(source,)) for port in ports)


def node_selector(member: Member, service: KubernetesObject, target_type: str) -> Mapping[str, object] | None:
    """The selector of nodes for instance targets, `target-node-labels`; None for all nodes or ip targets.

    Raises:
        BuildError: the annotation is invalid.
    """
    if target_type != INSTANCE:
        return None
    merged = _merged(member, service)
    labels = merged.mapping("target-node-labels")
    return None if labels is None else {"matchLabels": labels}


def _merged(member: Member, service: KubernetesObject) -> Annotations:
    return of_ingress(service).over(object_fields.annotations_of(member.ingress))


def _target_type(member: Member, annotations: Annotations, options: ControllerOptions) -> str:
    chosen = (
        object_fields.spec(member.class_params).get("targetType")
        or annotations.text("target-type")
        or options.default_target_type
    )
    if chosen not in (INSTANCE, IP):
        raise BuildError(f"unknown targetType: {chosen}")
    if chosen == IP and not takes_ip_targets(options):
        raise BuildError(f"unsupported targetType: {chosen} when EnableIPTargetType is false")
    return str(chosen)


def _one_of(annotations: Annotations, suffix: str, allowed: tuple[str, ...], complaint: str) -> str:
    found = annotations.text(suffix)
    if found is None:
        return allowed[0]
    if found not in allowed:
        raise BuildError(f"{complaint} [{', '.join(allowed)}]: {found}")
    return found
