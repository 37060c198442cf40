from __future__ import annotations

import pytest

from testbed.bench.topologies import empty_topology
from testbed.options import DEFAULT_SCENARIO
from testbed.rehearsal.script import load


@pytest.mark.e2e
def test_an_empty_topology_has_subnets_and_no_balancer():
    with empty_topology(load(DEFAULT_SCENARIO)) as topology:
        assert topology.clients.ec2.describe_subnets()["Subnets"]
        assert topology.clients.elbv2.describe_load_balancers()["LoadBalancers"] == []
