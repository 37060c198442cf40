"""The VPC that a plan assumes."""

from __future__ import annotations

import ipaddress

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core import subnet_discovery
from testbed.lb_controller.core.build_inputs import ClusterState
from testbed.lb_controller.offline.vpc import Vpc


@pytest.mark.parametrize("vpc", [Vpc(), Vpc(has_ipv6=True)], ids=["ipv4", "dualstack"])
def test_every_subnet_lies_in_the_ranges_of_the_vpc_and_overlaps_no_other(vpc: Vpc) -> None:
    networks = [ipaddress.ip_network(subnet.cidr) for subnet in vpc.subnets]
    networks += [ipaddress.ip_network(cidr) for subnet in vpc.subnets for cidr in subnet.ipv6_cidrs]
    ranges = [ipaddress.ip_network(cidr) for cidr in (*vpc.cidrs, *vpc.ipv6_cidrs)]
    assert len(networks) == len(vpc.subnets) * len(ranges)
    for network in networks:
        assert any(
            network.version == other.version
            and network.network_address in other
            and network.broadcast_address in other
            for other in ranges
        )
        assert not any(
            network.version == other.version and network.overlaps(other)
            for other in networks
            if other is not network
        )


@pytest.mark.parametrize(("scheme", "prefix"), [("internet-facing", "public"), ("internal", "private")])
def test_discovery_finds_the_subnets_of_a_scheme_one_in_each_zone(scheme: str, prefix: str) -> None:
    found = subnet_discovery.discovered(
        ClusterState(subnets=Vpc().subnets), scheme, "ipv4", LB_CONTROLLER_RELEASES.newest
    )
    assert [subnet.name for subnet in found] == [f"{prefix}-a", f"{prefix}-b"]
