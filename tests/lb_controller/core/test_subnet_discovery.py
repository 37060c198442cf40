from __future__ import annotations

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core import subnet_discovery
from testbed.lb_controller.core.build_inputs import BuildError, ClusterState, Subnet

OURS, THEIRS = "kubernetes.io/cluster/ours", "kubernetes.io/cluster/theirs"
CLUSTER = ClusterState(
    subnets=(
        Subnet(id="subnet-1", availability_zone="a", name="first", tags={"use": "lb"}),
        Subnet(id="subnet-2", availability_zone="a", tags={"use": "lb", OURS: "shared"}),
        Subnet(id="subnet-3", availability_zone="c", tags={"use": "lb", THEIRS: "owned"}),
        Subnet(id="subnet-4", availability_zone="c", tags={"use": "lb"}),
    ),
    security_groups={"front": "sg-1"},
)


def test_subnets_are_named_by_id_or_by_name() -> None:
    found = subnet_discovery.by_name_or_id(["subnet-4", "first"], CLUSTER)

    assert [subnet.id for subnet in found] == ["subnet-1", "subnet-4"]
    with pytest.raises(BuildError, match=r"couldn't find all subnets, want: \[gone\], found: \[\]"):
        subnet_discovery.by_name_or_id(["gone"], CLUSTER)


def test_a_selector_takes_one_subnet_a_zone_and_leaves_other_clusters_alone() -> None:
    found = subnet_discovery.by_selector({"tags": {"use": ["lb"]}}, CLUSTER, "ours")

    assert [subnet.id for subnet in found] == ["subnet-2", "subnet-4"]


def test_discovery_that_finds_nothing_fails() -> None:
    with pytest.raises(BuildError, match="couldn't auto-discover subnets"):
        subnet_discovery.discovered(ClusterState(), "internal", "ipv4", LB_CONTROLLER_RELEASES.newest)


def test_security_groups_are_named_by_id_or_by_name() -> None:
    assert subnet_discovery.security_group_ids(["front", "sg-0"], CLUSTER) == ["sg-0", "sg-1"]
    with pytest.raises(BuildError, match=r"couldn't find all security groups: \[gone\]"):
        subnet_discovery.security_group_ids(["gone"], CLUSTER)
