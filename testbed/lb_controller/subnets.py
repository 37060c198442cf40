"""Choosing subnets and security groups by id, by name or by discovery (pkg/networking/subnet_resolver.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.lb_controller import gotext
from testbed.lb_controller.inputs import BuildError, ClusterState, ExistingLoadBalancer, Subnet
from testbed.lb_controller.stack import SubnetMapping

_CLUSTER_TAG = "kubernetes.io/cluster/"


def mappings(chosen: Iterable[Subnet]) -> tuple[SubnetMapping, ...]:
    """Plain mappings, as an ALB has them."""
    return tuple(SubnetMapping(subnet_id=subnet.id) for subnet in chosen)


def discovered(cluster: ClusterState) -> tuple[Subnet, ...]:
    """What discovery by tags finds.

    Raises:
        BuildError: nothing.
    """
    if not cluster.subnets:
        raise BuildError("couldn't auto-discover subnets: unable to resolve at least one subnet")
    return _by_id(cluster.subnets)


def by_name_or_id(wanted: Sequence[str], cluster: ClusterState) -> tuple[Subnet, ...]:
    """The subnets of an annotation, by ids (`subnet-…`) and names.

    Raises:
        BuildError: one does not exist.
    """
    names = {item for item in wanted if not item.startswith("subnet-")}
    found = [subnet for subnet in _known(cluster) if subnet.id in wanted or subnet.name in names]
    if len(found) != len(wanted):
        ids = gotext.bracketed(subnet.id for subnet in found)
        raise BuildError(f"couldn't find all subnets, want: {gotext.bracketed(wanted)}, found: {ids}")
    return _by_id(found)


def by_selector(selector: Mapping[str, Any], cluster: ClusterState, cluster_name: str) -> tuple[Subnet, ...]:
    """The subnets of IngressClassParams, by `ids`, or by `tags`: then one a zone.

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
        ids = gotext.bracketed(subnet.id for subnet in found)
        text = f"couldn't find all subnets, want: {gotext.bracketed(wanted)}, found: {ids}"
        raise BuildError(f"failed to list subnets by IDs: {text}")
    return _by_id(found)


def standing(cluster: ClusterState, stack_tags: Mapping[str, str], scheme: str) -> tuple[Subnet, ...] | None:
    """The subnets of the stack's balancer in AWS; None if there is none, or of another scheme."""
    balancer = find_existing(cluster, stack_tags)
    if balancer is None or balancer.scheme != scheme:
        return None
    known = {subnet.id: subnet for subnet in _known(cluster)}
    return tuple(known.get(subnet, Subnet(id=subnet)) for subnet in balancer.subnet_ids)


def find_existing(cluster: ClusterState, stack_tags: Mapping[str, str]) -> ExistingLoadBalancer | None:
    """The balancer that carries the tags of a stack, if any."""
    for balancer in cluster.existing:
        if all(balancer.tags.get(key) == value for key, value in stack_tags.items()):
            return balancer
    return None


def security_group_ids(wanted: Iterable[str], cluster: ClusterState) -> list[str]:
    """Ids of security groups given by id (`sg-…`) or name, sorted.

    Raises:
        BuildError: a name is unknown.
    """
    wanted = list(wanted)
    ids = [item for item in wanted if item.startswith("sg-")]
    names = [item for item in wanted if not item.startswith("sg-")]
    missing = [name for name in names if name not in cluster.security_groups]
    if missing:
        raise BuildError(f"couldn't find all security groups: {gotext.bracketed(missing)}")
    return sorted(ids + [cluster.security_groups[name] for name in names])


def _one_per_zone(found: Iterable[Subnet], own_tag: str) -> tuple[Subnet, ...]:
    best: dict[str, Subnet] = {}
    for subnet in sorted(found, key=lambda item: (own_tag not in item.tags, item.id)):
        is_foreign = any(tag.startswith(_CLUSTER_TAG) for tag in subnet.tags)
        if own_tag in subnet.tags or not is_foreign:
            best.setdefault(subnet.availability_zone, subnet)
    return _by_id(best.values())


def _known(cluster: ClusterState) -> tuple[Subnet, ...]:
    return tuple({subnet.id: subnet for subnet in (*cluster.subnets, *cluster.named_subnets)}.values())


def _by_id(found: Iterable[Subnet]) -> tuple[Subnet, ...]:
    return tuple(sorted(found, key=lambda subnet: subnet.id))
