"""Settings of the ALB that the members of a group agree on (pkg/ingress/model_build_load_balancer*.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import go_text, resource_names, subnet_discovery
from testbed.lb_controller.core import minimum_capacity as capacities
from testbed.lb_controller.core.annotations import of_ingress
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    Group,
    KubernetesObject,
    Member,
)
from testbed.lb_controller.core.frontend import (
    DUALSTACK,
    DUALSTACK_WITHOUT_PUBLIC_IPV4,
    INTERNAL,
    INTERNET_FACING,
    IPV4,
    LONGEST_NAME,
    Frontend,
)
from testbed.lb_controller.core.stack import LoadBalancer, SubnetMapping
from testbed.lb_controller.core.tags import group_tags
from testbed.lb_controller.ingress.alb_security_groups import security_groups_of
from testbed.lb_controller.ingress.listen_ports import ListenPort


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
    mappings = subnet_mappings(group, chosen_scheme, cluster, options, address_type)
    attached, managed, backend = security_groups_of(group, ports, address_type, cluster, options)
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
    """The scheme, from class or annotation `scheme`.

    Raises:
        BuildError: members differ, or the scheme is unknown.
    """
    explicit = explicit_values(members, "scheme", "scheme")
    if len(explicit) > 1:
        # The controller prints some conflicts as a set and others as a list; its words are kept.
        raise BuildError(f"conflicting scheme: {go_text.as_set(explicit)}")
    chosen = next(iter(explicit), options.default_scheme)
    if chosen not in (INTERNET_FACING, INTERNAL):
        raise BuildError(f"unknown scheme: {chosen}")
    return chosen


def ip_address_type(members: Sequence[Member], options: ControllerOptions) -> str:
    """The IP address type, from class or annotation `ip-address-type`.

    Raises:
        BuildError: members differ, or the type is unknown.
    """
    explicit = explicit_values(members, "ipAddressType", "ip-address-type")
    if len(explicit) > 1:
        raise BuildError(f"conflicting IPAddressType: {go_text.bracketed(sorted(explicit))}")
    chosen = next(iter(explicit), options.default_ip_address_type)
    if chosen not in (IPV4, DUALSTACK, DUALSTACK_WITHOUT_PUBLIC_IPV4):
        raise BuildError(f"unknown IPAddressType: {chosen}")
    return chosen


def load_balancer_name(group: Group, chosen_scheme: str, options: ControllerOptions) -> str:
    """The name: `load-balancer-name` of class or annotation, else a hashed name.

    Raises:
        BuildError: members differ, or the name is too long.
    """
    explicit = explicit_values(group.members, "loadBalancerName", "load-balancer-name")
    if len(explicit) > 1:
        raise BuildError(f"conflicting load balancer name: {go_text.as_set(explicit)}")
    for name in explicit:
        if len(name) > LONGEST_NAME:
            raise BuildError(f"load balancer name cannot be longer than {LONGEST_NAME} characters")
        return name
    return resource_names.load_balancer(options.cluster_name, group.id, chosen_scheme)


def subnet_mappings(
    group: Group,
    chosen_scheme: str,
    cluster: ClusterState,
    options: ControllerOptions,
    address_type: str = IPV4,
) -> tuple[SubnetMapping, ...]:
    """The subnets: of class or annotation, else of the existing load balancer, else discovered ones.

    Raises:
        BuildError: members differ, or a subnet does not exist.
    """
    selectors, lists = [], []
    for member in group.members:
        selector = object_fields.spec(member.class_params).get("subnets")
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
        return subnet_discovery.mappings(
            subnet_discovery.by_selector(selectors[0], cluster, options.cluster_name)
        )
    if lists:
        for other in lists[1:]:
            if sorted(other) != sorted(lists[0]):
                first, second = go_text.bracketed(lists[0]), go_text.bracketed(other)
                raise BuildError(f"conflicting subnets: {first} | {second}")
        return subnet_discovery.mappings(subnet_discovery.by_name_or_id(lists[0], cluster))
    stack_tags = {"elbv2.k8s.aws/cluster": options.cluster_name, "ingress.k8s.aws/stack": str(group.id)}
    standing = subnet_discovery.standing(cluster, stack_tags, chosen_scheme)
    if standing is None:
        standing = subnet_discovery.discovered(cluster, chosen_scheme, address_type, options.release)
    return subnet_discovery.mappings(standing)


def customer_owned_ipv4_pool(members: Sequence[Member]) -> str | None:
    """The annotation `customer-owned-ipv4-pool` (Outposts).

    Raises:
        BuildError: the pool is empty, or members differ.
    """
    suffix = "customer-owned-ipv4-pool"
    pools = set()
    for member in members:
        pool = of_ingress(member.ingress).text(suffix)
        if pool == "":
            where = object_fields.key(member.ingress)
            raise BuildError(f"cannot use empty value for {suffix} annotation, ingress: {where}")
        if pool is not None:
            pools.add(pool)
    if len(pools) > 1:
        raise BuildError(f"conflicting CustomerOwnedIPv4Pool: {go_text.bracketed(sorted(pools))}")
    return next(iter(pools), None)


def ipv4_ipam_pool_id(members: Sequence[Member]) -> str | None:
    """The IPAM pool of the first member's class, else of the annotations.

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
    """The annotations `load-balancer-attributes`, merged by key; the first member's class wins.

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
    """The merged settings of the members; those of the class win and settle conflicts.

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
    """The annotation `minimum-load-balancer-capacity`, `CapacityUnits=N`, unless its feature gate is off.

    Raises:
        BuildError: members differ, or it is invalid.
    """
    if not capacities.is_reserved(options):
        return {}
    units = (_first_class(members).get("minimumLoadBalancerCapacity") or {}).get("capacityUnits")
    of_class = {} if units is None else {capacities.CAPACITY_UNITS: str(units)}
    lists = [of_ingress(member.ingress).mapping("minimum-load-balancer-capacity") or {} for member in members]
    return capacities.units(merged_by_key(lists, of_class, "capacity reservation"))


def has_deletion_protection(ingress: KubernetesObject) -> bool:
    """True if the Ingress's own annotation protects the load balancer from being deleted.

    Raises:
        BuildError: the value is not a boolean.
    """
    own = of_ingress(ingress).mapping("load-balancer-attributes") or {}
    value = own.get("deletion_protection.enabled")
    return value is not None and go_text.boolean(value)


def explicit_values(members: Sequence[Member], field: str, suffix: str) -> dict[str, None]:
    """The distinct values of class (first) or annotation, in order."""
    found: dict[str, None] = {}
    for member in members:
        value = object_fields.spec(member.class_params).get(field)
        if value is None:
            value = of_ingress(member.ingress).text(suffix)
        if value is not None:
            found[value] = None
    return found


def _first_class(members: Sequence[Member]) -> Mapping[str, Any]:
    """The spec of the first member's class parameters; the controller ignores those of the others."""
    return object_fields.spec(members[0].class_params) if members else {}
