"""Security groups of the ALB of a group (pkg/ingress/model_build_managed_sg.go)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from testbed.lb_controller.core import go_text, resource_names, subnet_discovery
from testbed.lb_controller.core.annotations import of_ingress
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    Group,
    Member,
)
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.frontend import IPV4
from testbed.lb_controller.core.stack import (
    MANAGED_SECURITY_GROUP_ID,
    IpPermission,
    Kind,
    Ref,
    Reference,
    SecurityGroup,
)
from testbed.lb_controller.core.tags import group_tags
from testbed.lb_controller.ingress.listen_ports import ListenPort


def manages_backend_rules(members: Sequence[Member], options: ControllerOptions) -> bool:
    """True if targets admit the load balancer although the user names its security groups.

    Raises:
        BuildError: members differ.
    """
    explicit = {
        flag
        for member in members
        if (flag := of_ingress(member.ingress).boolean("manage-backend-security-group-rules")) is not None
    }
    if len(explicit) > 1:
        raise BuildError("conflicting manage backend security group rules settings")
    return next(iter(explicit), options.enable_manage_backend_security_group_rules)


def security_groups_of(
    group: Group,
    ports: Mapping[int, ListenPort],
    address_type: str,
    cluster: ClusterState,
    options: ControllerOptions,
) -> tuple[tuple[Reference, ...], SecurityGroup | None, Reference | None]:
    """The attached groups, the group made for the ALB, and the group that targets admit.

    Without a shared backend group the targets admit the group that was made.
    """
    backend = options.backend_security_group
    has_backend = options.enable_backend_security_group and options.release.has(Fact.BACKEND_SECURITY_GROUP)
    named = _named_security_groups(group.members)
    if not named:
        own = Ref(Kind.SECURITY_GROUP, MANAGED_SECURITY_GROUP_ID)
        managed = _managed_security_group(group, ports, address_type, options)
        if not has_backend:
            return (own,), managed, own
        return (own, backend), managed, backend
    ids = tuple(subnet_discovery.security_group_ids(named, cluster))
    if not manages_backend_rules(group.members, options):
        return ids, None, None
    if not has_backend:
        raise BuildError(
            "backendSG feature is required to manage worker node SG rules when frontendSG manually specified"
        )
    return (*ids, backend), None, backend


def _named_security_groups(members: Sequence[Member]) -> list[str]:
    lists = [
        named
        for member in members
        if (named := of_ingress(member.ingress).items("security-groups")) is not None
    ]
    for other in lists[1:]:
        if other != lists[0]:
            first, second = go_text.bracketed(lists[0]), go_text.bracketed(other)
            raise BuildError(f"conflicting securityGroups: {first} | {second}")
    return lists[0] if lists else []


def _managed_security_group(
    group: Group, ports: Mapping[int, ListenPort], address_type: str, options: ControllerOptions
) -> SecurityGroup:
    permissions = []
    for number, port in sorted(ports.items()):
        both = {"ip_protocol": "tcp", "from_port": number, "to_port": number}
        permissions += [IpPermission(**both, cidr=cidr) for cidr in port.inbound_cidrs]  # type: ignore[arg-type]
        if address_type != IPV4:
            permissions += [IpPermission(**both, cidr_ipv6=cidr) for cidr in port.inbound_cidrs_ipv6]  # type: ignore[arg-type]
        permissions += [IpPermission(**both, prefix_list=item) for item in port.prefix_lists]  # type: ignore[arg-type]
    return SecurityGroup(
        id=MANAGED_SECURITY_GROUP_ID,
        group_name=resource_names.managed_security_group(options.cluster_name, group.id),
        description="[k8s] Managed SecurityGroup for LoadBalancer",
        ingress=tuple(permissions),
        tags=group_tags(group.members, options),
    )
