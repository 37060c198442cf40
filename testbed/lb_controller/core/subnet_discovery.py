"""Chooses subnets and security groups by id, by name or by discovery (pkg/networking/subnet_resolver.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.dated_releases import Release
from testbed.lb_controller.core import go_text
from testbed.lb_controller.core.build_inputs import BuildError, ClusterState, ExistingLoadBalancer, Subnet
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.frontend import INTERNAL, INTERNET_FACING, IPV4
from testbed.lb_controller.core.stack import SubnetMapping

_CLUSTER_TAG = "kubernetes.io/cluster/"
_ROLES = {INTERNET_FACING: "kubernetes.io/role/elb", INTERNAL: "kubernetes.io/role/internal-elb"}
_ROLES_OF_SUBNETS = frozenset(_ROLES.values())


def mappings(chosen: Iterable[Subnet]) -> tuple[SubnetMapping, ...]:
    """Subnet mappings without addresses, as an ALB has them."""
    return tuple(SubnetMapping(subnet_id=subnet.id) for subnet in chosen)


def discovered(cluster: ClusterState, scheme: str, address_type: str, release: Release) -> tuple[Subnet, ...]:
    """The subnets that discovery by tags finds for a scheme; a subnet without a role is for both.

    Raises:
        BuildError: it finds none.
    """
    role = _ROLES[scheme]
    found = [
        subnet for subnet in cluster.subnets if role in subnet.tags or not _ROLES_OF_SUBNETS & {*subnet.tags}
    ]
    if not found:
        raise BuildError("couldn't auto-discover subnets: unable to resolve at least one subnet")
    if address_type == IPV4 or not release.has(Fact.DUALSTACK_NEEDS_IPV6_SUBNETS):
        return _by_id(found)
    with_ipv6 = [subnet for subnet in found if subnet.ipv6_cidrs]
    if not with_ipv6:
        count = len(found)
        raise BuildError(
            f"unable to resolve at least one subnet. Evaluated {count} subnets: 0 are tagged for other "
            f"clusters, 0 have insufficient available IP addresses, and {count} don't have an associated "
            "IPv6 CIDR block, which is required for dualstack load balancers"
        )
    return _by_id(with_ipv6)


def by_name_or_id(wanted: Sequence[str], cluster: ClusterState) -> tuple[Subnet, ...]:
    """The subnets that an annotation lists, by ids (`subnet-…`) and names.

    Raises:
        BuildError: a subnet does not exist.
    """
    names = {item for item in wanted if not item.startswith("subnet-")}
    found = [subnet for subnet in _known(cluster) if subnet.id in wanted or subnet.name in names]
    # The controller compares counts, so a subnet that is listed twice counts as not found.
    if len(found) != len(wanted):
        ids = go_text.bracketed(subnet.id for subnet in found)
        raise BuildError(f"couldn't find all subnets, want: {go_text.bracketed(wanted)}, found: {ids}")
    return _by_id(found)


def by_selector(selector: Mapping[str, Any], cluster: ClusterState, cluster_name: str) -> tuple[Subnet, ...]:
    """The subnets of IngressClassParams, by `ids`, or one per zone by `tags`.

    By tags, subnets of other clusters (tag `kubernetes.io/cluster/<name>`) are left out, and those of this
    cluster are preferred.

    Raises:
        BuildError: an id does not exist.
    """
    wanted = selector.get("ids")
    if wanted is None:
        return _one_per_zone(
            [
                subnet
                for subnet in _known(cluster)
                if all(subnet.tags.get(key) in values for key, values in (selector.get("tags") or {}).items())
            ],
            f"{_CLUSTER_TAG}{cluster_name}",
        )
    found = [subnet for subnet in _known(cluster) if subnet.id in wanted]
    if len(found) != len(wanted):
        ids = go_text.bracketed(subnet.id for subnet in found)
        text = f"couldn't find all subnets, want: {go_text.bracketed(wanted)}, found: {ids}"
        raise BuildError(f"failed to list subnets by IDs: {text}")
    return _by_id(found)


def standing(cluster: ClusterState, stack_tags: Mapping[str, str], scheme: str) -> tuple[Subnet, ...] | None:
    """The subnets of the stack's load balancer in AWS; None without one, or if its scheme differs."""
    balancer = find_existing(cluster, stack_tags)
    if balancer is None or balancer.scheme != scheme:
        return None
    known = {subnet.id: subnet for subnet in _known(cluster)}
    return tuple(known.get(subnet, Subnet(id=subnet)) for subnet in balancer.subnet_ids)


def find_existing(cluster: ClusterState, stack_tags: Mapping[str, str]) -> ExistingLoadBalancer | None:
    """The load balancer that carries the tags of a stack, if any."""
    for balancer in cluster.existing:
        if all(balancer.tags.get(key) == value for key, value in stack_tags.items()):
            return balancer
    return None


def security_group_ids(wanted: Iterable[str], cluster: ClusterState) -> list[str]:
    """The ids of security groups that are listed by id (`sg-…`) or name, sorted.

    Raises:
        BuildError: a name is unknown.
    """
    wanted = list(wanted)
    ids = [item for item in wanted if item.startswith("sg-")]
    names = [item for item in wanted if not item.startswith("sg-")]
    missing = [name for name in names if name not in cluster.security_groups]
    if missing:
        raise BuildError(f"couldn't find all security groups: {go_text.bracketed(missing)}")
    return sorted(ids + [cluster.security_groups[name] for name in names])


def _one_per_zone(found: Iterable[Subnet], own_tag: str) -> tuple[Subnet, ...]:
    best: dict[str, Subnet] = {}
    for subnet in sorted(found, key=lambda item: (own_tag not in item.tags, item.id)):
        is_foreign = any(tag.startswith(_CLUSTER_TAG) for tag in subnet.tags)
        if own_tag in subnet.tags or not is_foreign:
            # The first of a zone, because ELBv2 takes one subnet of each.
            best.setdefault(subnet.availability_zone, subnet)
    return _by_id(best.values())


def _known(cluster: ClusterState) -> tuple[Subnet, ...]:
    return tuple({subnet.id: subnet for subnet in (*cluster.subnets, *cluster.named_subnets)}.values())


def _by_id(found: Iterable[Subnet]) -> tuple[Subnet, ...]:
    return tuple(sorted(found, key=lambda subnet: subnet.id))
