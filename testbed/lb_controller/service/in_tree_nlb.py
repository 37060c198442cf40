"""The NLB that Kubernetes' own AWS cloud provider of 2020 makes for a Service of type LoadBalancer.

Pure: Service in, stack out. The module handles `service.beta.kubernetes.io/aws-load-balancer-type: nlb` only;
without it the real provider makes a classic load balancer, which the testbed does not emulate.

```
Service port 443 ─► listener TCP 443 ─► target group, type instance, on the nodePort
        port 80  ─► listener TCP 80  ─► target group of its own
```

Source: kubernetes 1.19 legacy-cloud-providers/aws, `EnsureLoadBalancer` and `ensureLoadBalancerv2`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import go_text
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    KubernetesObject,
)
from testbed.lb_controller.core.frontend import LONGEST_NAME
from testbed.lb_controller.core.stack import (
    TRAFFIC_PORT,
    Action,
    Forward,
    HealthCheck,
    Kind,
    Listener,
    LoadBalancer,
    Ref,
    Stack,
    SubnetMapping,
    TargetGroup,
    TargetGroupBinding,
    WeightedTargetGroup,
)

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
SERVICE_TAG = "kubernetes.io/service-name"
PREFIX = "service.beta.kubernetes.io/aws-load-balancer-"
OWNER = "cloud provider"
READ = frozenset(
    {
        *("type", "internal", "ssl-cert", "ssl-ports", "ssl-negotiation-policy", "backend-protocol"),
        *("access-log-enabled", "access-log-emit-interval", "access-log-s3-bucket-name"),
        *("access-log-s3-bucket-prefix", "cross-zone-load-balancing-enabled", "eip-allocations"),
        *("additional-resource-tags", "target-node-labels", "subnets", "proxy-protocol"),
        *("healthcheck-healthy-threshold", "healthcheck-interval", "healthcheck-path", "healthcheck-port"),
        *("healthcheck-protocol", "healthcheck-timeout", "healthcheck-unhealthy-threshold"),
        *("target-group-attributes", "security-groups", "extra-security-groups", "ip-address-type"),
    }
)
"""What follows the prefix in the annotations that some release of the provider reads of a Service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InTreeStack(Stack):
    """A stack of the cloud provider, which tags no single resource: it finds target groups by their name."""

    def stack_tags(self) -> dict[str, str]:
        """The tags of everything that the Service owns (`tagging.buildTags`)."""
        return {SERVICE_TAG: self.id, f"kubernetes.io/cluster/{self.cluster_name}": "owned"}

    def tracking_tags(self, resource_id: str) -> dict[str, str]:  # noqa: ARG002
        """The stack tags, as the provider tags no single resource."""
        return self.stack_tags()


def owns(service: KubernetesObject) -> bool:
    """True if the cloud provider makes an NLB of this Service (`isNLB`, no class of another controller)."""
    spec = object_fields.spec(service)
    return (
        spec.get("type") == "LoadBalancer"
        and not spec.get("loadBalancerClass")
        and object_fields.annotations_of(service).get(f"{PREFIX}type") == "nlb"
    )


def empty_stack(namespace: str, name: str, options: ControllerOptions) -> InTreeStack:
    """The empty stack of a Service that no longer wants a load balancer."""
    return InTreeStack(id=f"{namespace}/{name}", cluster_name=options.cluster_name, tag_prefix="")


def build(service: KubernetesObject, cluster: ClusterState, options: ControllerOptions) -> InTreeStack:
    """Build the NLB of a Service for which `owns` is true.

    Raises:
        BuildError: the provider refuses the Service; the text is its own.
    """
    metadata, spec, annotations = service["metadata"], service["spec"], object_fields.annotations_of(service)
    namespace, name = metadata["namespace"], metadata["name"]
    affinity = spec.get("sessionAffinity") or "None"
    if affinity != "None":
        raise BuildError(f"unsupported load balancer affinity: {affinity}")
    if not spec.get("ports"):
        raise BuildError("requested load balancer with no ports")
    if not cluster.subnets:
        raise BuildError("could not find any suitable subnets for creating the ELB")
    health_check = _health_check(spec)
    for port in spec["ports"]:
        _check_protocol(port)
    # A port without nodePort is left out with a log line, not refused.
    ports = [_Port.read(port, annotations, health_check) for port in spec["ports"] if port.get("nodePort")]
    tags = _additional_tags(annotations)
    groups = tuple(port.target_group(namespace, name, options.cluster_name, tags) for port in ports)
    return InTreeStack(
        id=f"{namespace}/{name}",
        cluster_name=options.cluster_name,
        tag_prefix="",
        load_balancer=LoadBalancer(
            name=load_balancer_name(metadata["uid"]),
            type="network",
            scheme="internal" if is_internal(annotations) else "internet-facing",
            subnet_mappings=_subnet_mappings(annotations, cluster),
            attributes=_attributes(annotations),
            tags=tags,
        ),
        listeners=tuple(port.listener(group) for port, group in zip(ports, groups, strict=True)),
        target_groups=groups,
        bindings=tuple(
            TargetGroupBinding(
                id=group.id,
                name=group.name,
                namespace=namespace,
                service_name=name,
                service_port=port.number,
                target_group=Ref(Kind.TARGET_GROUP, group.id),
                target_type="instance",
                target_group_protocol=group.protocol,
                vpc_id=options.vpc_id,
            )
            for port, group in zip(ports, groups, strict=True)
        ),
    )


def load_balancer_name(uid: str) -> str:
    """`a` and the Service's UID without dashes, cut to 32 characters (`DefaultLoadBalancerName`)."""
    return f"a{uid}".replace("-", "")[:LONGEST_NAME]


@dataclass(frozen=True, slots=True)
class _Port:
    """A Service port as the provider maps it (`nlbPortMapping`)."""

    number: int
    node_port: int
    protocol: str
    target_protocol: str
    certificate: str
    ssl_policy: str | None
    health_check: HealthCheck

    @classmethod
    def read(cls, port: Mapping[str, Any], annotations: Mapping[str, str], check: HealthCheck) -> _Port:
        protocol = target_protocol = port.get("protocol", "TCP")
        certificate = annotations.get(f"{PREFIX}ssl-cert", "")
        is_tls = bool(certificate) and protocol == "TCP" and _is_ssl_port(port, annotations)
        if is_tls:
            protocol = "TLS"
            if annotations.get(f"{PREFIX}backend-protocol") == "ssl":
                target_protocol = "TLS"
        return cls(
            number=port["port"],
            node_port=port["nodePort"],
            protocol=protocol,
            target_protocol=target_protocol,
            certificate=certificate if is_tls else "",
            ssl_policy=annotations.get(f"{PREFIX}ssl-negotiation-policy") if is_tls else None,
            health_check=check,
        )

    def target_group(
        self, namespace: str, service: str, cluster: str, tags: Mapping[str, str]
    ) -> TargetGroup:
        """The target group. Its name holds all that AWS cannot modify (`buildTargetGroupName`)."""
        parts = (cluster, namespace, service, self.number, self.node_port, self.target_protocol, "instance")
        check = self.health_check
        text = "".join(map(str, (*parts, check.protocol, check.interval_seconds)))
        # SHA-1 as in the provider: part of a name, not of any security.
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        short = (re.sub("[^0-9A-Za-z]", "", part)[:8] for part in (namespace, service))
        return TargetGroup(
            id=f"{namespace}/{service}:{self.number}",
            name=f"k8s-{'-'.join(short)}-{digest[:10]}",
            target_type="instance",
            port=self.node_port,
            protocol=self.target_protocol,
            health_check=check,
            tags=tags,
        )

    def listener(self, group: TargetGroup) -> Listener:
        """The listener, which forwards all connections to the group."""
        target = WeightedTargetGroup(target_group=Ref(Kind.TARGET_GROUP, group.id))
        return Listener(
            port=self.number,
            protocol=self.protocol,
            default_actions=(Action(type="forward", forward=Forward(target_groups=(target,))),),
            certificates=(self.certificate,) if self.certificate else (),
            ssl_policy=self.ssl_policy,
        )


def _check_protocol(port: Mapping[str, Any]) -> None:
    protocol = port.get("protocol", "TCP")
    if protocol not in {"TCP", "UDP"}:
        raise BuildError(f"Protocol {protocol} not supported by LoadBalancer")


def _health_check(spec: Mapping[str, Any]) -> HealthCheck:
    """The health check (`buildNLBHealthCheckConfiguration`); the timeouts are the defaults of AWS."""
    if spec.get("externalTrafficPolicy") == "Local" and spec.get("healthCheckNodePort"):
        return HealthCheck(
            port=spec["healthCheckNodePort"],
            protocol="HTTP",
            path="/healthz",
            interval_seconds=10,
            timeout_seconds=6,
            healthy_threshold=2,
            unhealthy_threshold=2,
        )
    return HealthCheck(
        port=TRAFFIC_PORT,
        protocol="TCP",
        interval_seconds=30,
        timeout_seconds=10,
        healthy_threshold=3,
        unhealthy_threshold=3,
    )


def is_internal(annotations: Mapping[str, str]) -> bool:
    """True if the Service asks for an internal load balancer, an NLB or a Classic one."""
    # Every other value counts, "0" and "no" too, as in the provider.
    return annotations.get(f"{PREFIX}internal", "") not in {"", "false"}


def _is_ssl_port(port: Mapping[str, Any], annotations: Mapping[str, str]) -> bool:
    """True if `ssl-ports` lists the number or name of a port; absent or `*` means all ports."""
    listed = annotations.get(f"{PREFIX}ssl-ports", "").strip()
    if listed in {"", "*"}:
        return True
    wanted = {item.strip().lower() for item in listed.split(",")}
    return str(port["port"]) in wanted or (port.get("name") or "").lower() in wanted - {""}


def _subnet_mappings(annotations: Mapping[str, str], cluster: ClusterState) -> tuple[SubnetMapping, ...]:
    listed = annotations.get(f"{PREFIX}eip-allocations")
    allocations = [item.strip() for item in listed.split(",")] if listed else None
    if allocations is None:
        return tuple(SubnetMapping(subnet_id=subnet.id) for subnet in cluster.subnets)
    if len(allocations) != len(cluster.subnets):
        raise BuildError(
            "error creating load balancer: Must have same number of EIP AllocationIDs "
            f"({len(allocations)}) and SubnetIDs ({len(cluster.subnets)})"
        )
    return tuple(
        SubnetMapping(subnet_id=subnet.id, allocation_id=allocation)
        for subnet, allocation in zip(cluster.subnets, allocations, strict=True)
    )


def _attributes(annotations: Mapping[str, str]) -> dict[str, str]:
    """The attributes (`reconcileLBAttributes`); no bucket without logs, as AWS refuses an empty one."""
    logs = _boolean(annotations, "access-log-enabled")
    attributes = {
        "load_balancing.cross_zone.enabled": _boolean(annotations, "cross-zone-load-balancing-enabled"),
        "access_logs.s3.enabled": logs,
    }
    if logs == "true":
        attributes["access_logs.s3.bucket"] = annotations.get(f"{PREFIX}access-log-s3-bucket-name", "")
        attributes["access_logs.s3.prefix"] = annotations.get(f"{PREFIX}access-log-s3-bucket-prefix", "")
    return attributes


def _boolean(annotations: Mapping[str, str], name: str) -> str:
    """An annotation as `true` or `false`, "false" if absent (`strconv.ParseBool`)."""
    text = annotations.get(PREFIX + name) or "false"
    try:
        return str(go_text.boolean(text)).lower()
    except BuildError:
        raise BuildError(f"error parsing service annotation: {PREFIX}{name}={text}") from None


def _additional_tags(annotations: Mapping[str, str]) -> dict[str, str]:
    """The tags `k=v,k2=v2,k3`; text after a second `=` is lost, as in the real provider."""
    tags = {}
    for item in annotations.get(f"{PREFIX}additional-resource-tags", "").strip().split(","):
        key, *values = item.strip().split("=")
        if key:
            tags[key] = values[0] if values else ""
    return tags
