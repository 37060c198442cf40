"""Security groups of an NLB (pkg/service/model_build_managed_sg.go)."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import resource_names, subnet_discovery
from testbed.lb_controller.core.annotations import of_service
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    ExistingLoadBalancer,
    KubernetesObject,
)
from testbed.lb_controller.core.feature_gates import Gate, is_on
from testbed.lb_controller.core.inbound_permissions import inbound_permissions
from testbed.lb_controller.core.stack import (
    MANAGED_SECURITY_GROUP_ID,
    Kind,
    Ref,
    Reference,
    SecurityGroup,
)


def source_ranges(service: KubernetesObject) -> tuple[str, ...]:
    """The ranges of `spec.loadBalancerSourceRanges`, else of the annotation `load-balancer-source-ranges`."""
    ranges = object_fields.spec(service).get("loadBalancerSourceRanges")
    return tuple(ranges or of_service(service).items("load-balancer-source-ranges") or ())


def security_groups_of(
    service: KubernetesObject,
    address_type: str,
    cluster: ClusterState,
    options: ControllerOptions,
    existing: ExistingLoadBalancer | None,
    tags: Mapping[str, str],
) -> tuple[tuple[Reference, ...], SecurityGroup | None, Reference | None]:
    """The attached groups, the group made for the NLB, and the group that targets admit.

    An NLB that was made without security groups can never get any.
    """
    annotations = of_service(service)
    is_disabled = annotations.boolean("aws-load-balancer-disable-nlb-sg") or False
    if is_disabled or (existing is not None and not existing.security_groups):
        return (), None, None
    if not is_on(Gate.NLB_SECURITY_GROUP, options):
        if existing is not None:
            raise BuildError("conflicting security groups configuration")
        return (), None, None
    named = annotations.items("aws-load-balancer-security-groups")
    backend = options.backend_security_group
    if not named:
        managed = _managed_security_group(service, address_type, options, tags)
        own = Ref(Kind.SECURITY_GROUP, MANAGED_SECURITY_GROUP_ID)
        if not options.enable_backend_security_group:
            return (own,), managed, own
        return (own, backend), managed, backend
    ids = tuple(subnet_discovery.security_group_ids(named, cluster))
    if not annotations.boolean("aws-load-balancer-manage-backend-security-group-rules"):
        return ids, None, None
    if not options.enable_backend_security_group:
        raise BuildError(
            "backendSG feature is required to manage worker node SG rules "
            "when frontendSG is manually specified"
        )
    return (*ids, backend), None, backend


def _managed_security_group(
    service: KubernetesObject, address_type: str, options: ControllerOptions, tags: Mapping[str, str]
) -> SecurityGroup:
    prefix_lists = of_service(service).items("aws-load-balancer-security-group-prefix-lists") or []
    cidrs = list(source_ranges(service))
    is_dualstack = address_type == "dualstack"
    for cidr in cidrs:
        if ":" in cidr and not is_dualstack:
            raise BuildError(f"unsupported v6 cidr {cidr} when lb is not dualstack")
    if not cidrs and not prefix_lists:
        cidrs = ["0.0.0.0/0", "::/0"] if is_dualstack else ["0.0.0.0/0"]
    finds_path_mtu = of_service(service).text("aws-load-balancer-enable-icmp-for-path-mtu-discovery") == "on"
    permissions = [
        permission
        for port in object_fields.spec(service).get("ports") or ()
        for permission in inbound_permissions(
            str(port.get("protocol") or "TCP").lower(),
            port["port"],
            cidrs,
            prefix_lists,
            options.release,
            finds_path_mtu=finds_path_mtu,
        )
    ]
    namespace, name = object_fields.namespace(service), object_fields.name(service)
    suffix = resource_names.digest(options.cluster_name, name, namespace, object_fields.uid(service))
    return SecurityGroup(
        id=MANAGED_SECURITY_GROUP_ID,
        group_name=resource_names.object_name(namespace, name, suffix),
        description="[k8s] Managed SecurityGroup for LoadBalancer",
        ingress=tuple(permissions),
        tags=tags,
    )
