"""Target groups of an NLB, each with the binding to its Service.

Source: pkg/service/model_build_target_group.go of the AWS Load Balancer Controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import go_text, resource_names, service_ports
from testbed.lb_controller.core.annotations import Annotations, of_service
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions, KubernetesObject
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.feature_gates import takes_ip_targets
from testbed.lb_controller.core.service_ports import INSTANCE, IP
from testbed.lb_controller.core.stack import Kind, Ref, TargetGroup, TargetGroupBinding
from testbed.lb_controller.service.nlb_health_checks import health_check
from testbed.lb_controller.service.nlb_target_access import Balancer, networking_of
from testbed.lb_controller.service.service_ownership import NLB_IP

PRESERVE_CLIENT_IP = "preserve_client_ip.enabled"
PROXY_PROTOCOL = "proxy_protocol_v2.enabled"

Port = Mapping[str, Any]


def build(
    service: KubernetesObject,
    port: Port,
    protocol: str,
    balancer: Balancer,
    *,
    base: KubernetesObject | None = None,
) -> tuple[TargetGroup, TargetGroupBinding]:
    """Build the target group and the binding of one port of the Service.

    Args:
        base: the Service whose NLB it is, if it is another.

    Raises:
        BuildError: an annotation is invalid, or the port cannot be a target.
    """
    options = balancer.options
    kind = target_type(service, port, options)
    check = health_check(service, kind, options.release)
    group_attributes = attributes(service, port)
    preserves = preserves_client_ip(kind, group_attributes)
    is_ipv6 = "IPv6" in (object_fields.spec(service).get("ipFamilies") or ())
    if is_ipv6 and not balancer.is_dualstack:
        raise BuildError("unsupported IPv6 configuration, lb not dual-stack")
    group_port = service_ports.target_group_port(port, kind)
    service_ports.check_target_group_port(group_port, kind, options.release)
    suffix = resource_names.digest(
        options.cluster_name,
        object_fields.uid(base) if base else "",
        object_fields.uid(service),
        group_port,
        port["port"],
        kind,
        protocol,
        check.protocol,
        check.interval_seconds,
    )
    namespace, name = object_fields.namespace(service), object_fields.name(service)
    group = TargetGroup(
        id=f"{namespace}/{name}:{port['port']}",
        name=resource_names.object_name(namespace, name, suffix),
        target_type=kind,
        port=group_port,
        protocol=protocol,
        ip_address_type="ipv6" if is_ipv6 else "ipv4",
        health_check=check,
        attributes=group_attributes,
        tags=balancer.tags,
    )
    target_port = port.get("nodePort") or 0 if kind == INSTANCE else service_ports.target_port(port)
    binding = TargetGroupBinding(
        id=group.id,
        name=group.name,
        namespace=namespace,
        service_name=name,
        service_port=port["port"],
        target_group=Ref(Kind.TARGET_GROUP, group.id),
        target_type=kind,
        target_group_protocol=protocol if options.release.has(Fact.BINDING_HAS_PROTOCOL) else None,
        ip_address_type=group.ip_address_type,
        vpc_id=options.vpc_id,
        networking=networking_of(service, group, target_port, balancer, preserves=preserves),
        node_selector=_node_selector(service, kind),
        multi_cluster=of_service(service).boolean("aws-load-balancer-multi-cluster-target-group") or False,
    )
    return group, binding


def target_type(service: KubernetesObject, port: Port, options: ControllerOptions) -> str:
    """The target type: `ip` for `nlb-ip`, else `aws-load-balancer-nlb-target-type`, else the flag.

    Raises:
        BuildError: the type is not possible for the Service.
    """
    annotations, spec = of_service(service), object_fields.spec(service)
    wanted = annotations.text("aws-load-balancer-nlb-target-type") or options.default_target_type
    if wanted == IP and not takes_ip_targets(options):
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


def attributes(service: KubernetesObject, port: Port) -> dict[str, str]:
    """The attributes: for all ports, then for this port, then of the proxy protocol's annotations.

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
    """True if targets see the client's address: as the attribute says, by default for instances only.

    Raises:
        BuildError: the attribute is not a boolean.
    """
    found = group_attributes.get(PRESERVE_CLIENT_IP)
    return kind == INSTANCE if found is None else _flag(PRESERVE_CLIENT_IP, found)


def _checked(annotations: Annotations, suffix: str) -> dict[str, str]:
    found = annotations.mapping(suffix) or {}
    if PRESERVE_CLIENT_IP in found:
        _flag(PRESERVE_CLIENT_IP, found[PRESERVE_CLIENT_IP])
    return found


def _flag(key: str, value: str) -> bool:
    try:
        return go_text.boolean(value)
    except BuildError as error:
        raise BuildError(f"failed to parse attribute {key}={value}: {error}") from None


def _node_selector(service: KubernetesObject, kind: str) -> Mapping[str, object] | None:
    if kind != INSTANCE:
        return None
    labels = of_service(service).mapping("aws-load-balancer-target-node-labels")
    return {"matchLabels": labels} if labels else None
