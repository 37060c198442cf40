"""The ALB of a group: settings that its members must agree on (pkg/ingress/model_build_load_balancer*.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.lb_controller import gotext, names, objects, subnets, tags
from testbed.lb_controller.annotations import of_ingress
from testbed.lb_controller.inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    Group,
    KubernetesObject,
    Member,
    Version,
)
from testbed.lb_controller.listen_ports import ListenPort
from testbed.lb_controller.stack import (
    MANAGED_SECURITY_GROUP_ID,
    IpPermission,
    Kind,
    LoadBalancer,
    Ref,
    Reference,
    SecurityGroup,
    SubnetMapping,
)

INTERNET_FACING = "internet-facing"
INTERNAL = "internal"
IPV4 = "ipv4"
DUALSTACK = "dualstack"
DUALSTACK_WITHOUT_PUBLIC_IPV4 = "dualstack-without-public-ipv4"
LONGEST_NAME = 32
CAPACITY_GATE = "LBCapacityReservation"
_CAPACITY_UNITS = "CapacityUnits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontend:
    """The load balancer with the security group made for it, and the one that its targets let in."""

    load_balancer: LoadBalancer
    security_group: SecurityGroup | None = None
    backend_security_group: Reference | None = None


def build(
    group: Group, ports: Mapping[int, ListenPort], cluster: ClusterState, options: ControllerOptions
) -> Frontend:
    """The ALB of a group with members.

    Raises:
        BuildError: members do not agree, or a setting is invalid.
    """
    members = group.members
    chosen_scheme = scheme(members, options)
    address_type = ip_address_type(members, options)
    mappings = subnet_mappings(group, chosen_scheme, cluster, options)
    attached, managed, backend = _security_groups(group, ports, address_type, cluster, options)
    balancer = LoadBalancer(
        name=load_balancer_name(group, chosen_scheme, options),
        type="application",
        scheme=chosen_scheme,
        ip_address_type=address_type,
        subnet_mappings=mappings,
        security_groups=attached,
        customer_owned_ipv4_pool=customer_owned_ipv4_pool(members),
        ipv4_ipam_pool_id=ipv4_ipam_pool_id(members),
        minimum_capacity=minimum_capacity(members, options),
        attributes=attributes(members),
        tags=group_tags(members, options),
    )
    return Frontend(load_balancer=balancer, security_group=managed, backend_security_group=backend)


def scheme(members: Sequence[Member], options: ControllerOptions) -> str:
    """`scheme` of class or annotation.

    Raises:
        BuildError: they differ, or it is none.
    """
    explicit = _explicit(members, "scheme", "scheme")
    if len(explicit) > 1:
        raise BuildError(f"conflicting scheme: {gotext.as_set(explicit)}")
    chosen = next(iter(explicit), options.default_scheme)
    if chosen not in (INTERNET_FACING, INTERNAL):
        raise BuildError(f"unknown scheme: {chosen}")
    return chosen


def ip_address_type(members: Sequence[Member], options: ControllerOptions) -> str:
    """`ip-address-type` of class or annotation.

    Raises:
        BuildError: they differ, or it is none.
    """
    explicit = _explicit(members, "ipAddressType", "ip-address-type")
    if len(explicit) > 1:
        raise BuildError(f"conflicting IPAddressType: {gotext.bracketed(sorted(explicit))}")
    chosen = next(iter(explicit), options.default_ip_address_type)
    if chosen not in (IPV4, DUALSTACK, DUALSTACK_WITHOUT_PUBLIC_IPV4):
        raise BuildError(f"unknown IPAddressType: {chosen}")
    return chosen


def load_balancer_name(group: Group, chosen_scheme: str, options: ControllerOptions) -> str:
    """`load-balancer-name` of class or annotation (from v2.2 on), else the hashed name.

    Raises:
        BuildError: they differ, or it is too long.
    """
    if options.version is Version.V2_1:
        return names.load_balancer(options.cluster_name, group.id, chosen_scheme)
    explicit = _explicit(group.members, "loadBalancerName", "load-balancer-name")
    if len(explicit) > 1:
        raise BuildError(f"conflicting load balancer name: {gotext.as_set(explicit)}")
    for name in explicit:
        if len(name) > LONGEST_NAME:
            raise BuildError(f"load balancer name cannot be longer than {LONGEST_NAME} characters")
        return name
    return names.load_balancer(options.cluster_name, group.id, chosen_scheme)


def subnet_mappings(
    group: Group, chosen_scheme: str, cluster: ClusterState, options: ControllerOptions
) -> tuple[SubnetMapping, ...]:
    """Subnets of class or annotation; else those of the balancer that stands; else discovered ones.

    Raises:
        BuildError: members differ, or a subnet does not exist.
    """
    selectors, lists = [], []
    for member in group.members:
        selector = objects.spec(member.class_params).get("subnets")
        named = of_ingress(member.ingress).items("subnets")
        if selector is not None:
            selectors.append(selector)
        elif named is not None:
            lists.append(named)
    if selectors:
        if lists:
            raise BuildError("conflicting subnet specifications: IngressClassParams versus annotation")
        if any(selector != selectors[0] for selector in selectors):
            raise BuildError("conflicting IngressClassParams subnet specifications")
        return subnets.mappings(subnets.by_selector(selectors[0], cluster, options.cluster_name))
    if lists:
        for other in lists[1:]:
            if sorted(other) != sorted(lists[0]):
                first, second = gotext.bracketed(lists[0]), gotext.bracketed(other)
                raise BuildError(f"conflicting subnets: {first} | {second}")
        return subnets.mappings(subnets.by_name_or_id(lists[0], cluster))
    stack_tags = {"elbv2.k8s.aws/cluster": options.cluster_name, "ingress.k8s.aws/stack": str(group.id)}
    standing = subnets.standing(cluster, stack_tags, chosen_scheme)
    return subnets.mappings(standing if standing is not None else subnets.discovered(cluster))


def customer_owned_ipv4_pool(members: Sequence[Member]) -> str | None:
    """`customer-owned-ipv4-pool` (Outposts).

    Raises:
        BuildError: it is empty, or members differ.
    """
    suffix = "customer-owned-ipv4-pool"
    pools = set()
    for member in members:
        pool = of_ingress(member.ingress).text(suffix)
        if pool == "":
            where = objects.key(member.ingress)
            raise BuildError(f"cannot use empty value for {suffix} annotation, ingress: {where}")
        if pool is not None:
            pools.add(pool)
    if len(pools) > 1:
        raise BuildError(f"conflicting CustomerOwnedIPv4Pool: {gotext.bracketed(sorted(pools))}")
    return next(iter(pools), None)


def ipv4_ipam_pool_id(members: Sequence[Member]) -> str | None:
    """IPAM pool of the first member's class, else of the annotations.

    Raises:
        BuildError: members differ.
    """
    of_class: str | None = (_first_class(members).get("ipamConfiguration") or {}).get("ipv4IPAMPoolId")
    if of_class is not None:
        return of_class
    chosen: str | None = None
    for member in members:
        pool = of_ingress(member.ingress).text("ipam-ipv4-pool-id")
        if pool is not None:
            if chosen is not None and pool != chosen:
                raise BuildError(f"conflicting ipv4 ipam pools {chosen}: {pool}")
            chosen = pool
    return chosen


def attributes(members: Sequence[Member]) -> dict[str, str]:
    """`load-balancer-attributes`, merged by key; a key of the first member's class wins over all.

    Raises:
        BuildError: members give a key different values that the class does not settle.
    """
    of_class = {
        entry["key"]: entry["value"] for entry in _first_class(members).get("loadBalancerAttributes") or ()
    }
    lists = [of_ingress(member.ingress).mapping("load-balancer-attributes") or {} for member in members]
    return merged_by_key(lists, of_class, "load balancer attributes")


def merged_by_key(
    settings: Iterable[Mapping[str, str]], of_class: Mapping[str, str], what: str
) -> dict[str, str]:
    """The members' settings together; those of the class win and settle conflicts.

    Raises:
        BuildError: two members differ in a key that the class does not have.
    """
    merged: dict[str, str] = {}
    for own in settings:
        for key, value in own.items():
            if merged.setdefault(key, value) != value and key not in of_class:
                raise BuildError(f"conflicting {what} {key}: {merged[key]} | {value}")
    return {**merged, **of_class}


def minimum_capacity(members: Sequence[Member], options: ControllerOptions) -> dict[str, int]:
    """`minimum-load-balancer-capacity`, `CapacityUnits=N`, unless its feature gate is off.

    Raises:
        BuildError: members differ, or it is invalid.
    """
    if not options.feature_gates.get(CAPACITY_GATE, True):
        return {}
    units = (_first_class(members).get("minimumLoadBalancerCapacity") or {}).get("capacityUnits")
    of_class = {} if units is None else {_CAPACITY_UNITS: str(units)}
    lists = [of_ingress(member.ingress).mapping("minimum-load-balancer-capacity") or {} for member in members]
    merged = merged_by_key(lists, of_class, "capacity reservation")
    return {key: _capacity_units(key, value) for key, value in merged.items()}


def group_tags(members: Sequence[Member], options: ControllerOptions) -> dict[str, str]:
    """Tags of the load balancer and of all that the group shares."""
    return tags.with_defaults(tags.of_group(members, options), options)


def has_deletion_protection(ingress: KubernetesObject) -> bool:
    """Whether its own annotation protects the load balancer from being deleted.

    Raises:
        BuildError: the value is no boolean.
    """
    own = of_ingress(ingress).mapping("load-balancer-attributes") or {}
    value = own.get("deletion_protection.enabled")
    return value is not None and gotext.boolean(value)


def manages_backend_rules(members: Sequence[Member], options: ControllerOptions) -> bool:
    """Whether targets let the balancer in although the user names its security groups.

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


def _explicit(members: Sequence[Member], field: str, suffix: str) -> dict[str, None]:
    """The values of class (first) or annotation, once each."""
    found: dict[str, None] = {}
    for member in members:
        value = objects.spec(member.class_params).get(field)
        if value is None:
            value = of_ingress(member.ingress).text(suffix)
        if value is not None:
            found[value] = None
    return found


def _first_class(members: Sequence[Member]) -> Mapping[str, Any]:
    """The spec of the first member's class parameters; the controller asks no other member's."""
    return objects.spec(members[0].class_params) if members else {}


def _capacity_units(key: str, value: str) -> int:
    if key != _CAPACITY_UNITS:
        raise BuildError(f"invalid key to set the capacity: {key}, Expected key: {_CAPACITY_UNITS}")
    try:
        return gotext.integer(value, bits=32)
    except BuildError as error:
        raise BuildError(f"invalid value to set the capacity: {value}: {error}") from None


def _security_groups(
    group: Group,
    ports: Mapping[int, ListenPort],
    address_type: str,
    cluster: ClusterState,
    options: ControllerOptions,
) -> tuple[tuple[Reference, ...], SecurityGroup | None, Reference | None]:
    """What is attached, what is made for it, and whom the targets let in (v2.1: the made one)."""
    backend = options.backend_security_group
    has_backend = options.enable_backend_security_group and options.version is not Version.V2_1
    named = _named_security_groups(group.members)
    if not named:
        own = Ref(Kind.SECURITY_GROUP, MANAGED_SECURITY_GROUP_ID)
        managed = _managed_security_group(group, ports, address_type, options)
        if not has_backend:
            return (own,), managed, own
        return (own, backend), managed, backend
    ids = tuple(subnets.security_group_ids(named, cluster))
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
            first, second = gotext.bracketed(lists[0]), gotext.bracketed(other)
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
        group_name=names.managed_security_group(options.cluster_name, group.id),
        description="[k8s] Managed SecurityGroup for LoadBalancer",
        ingress=tuple(permissions),
        tags=group_tags(group.members, options),
    )
