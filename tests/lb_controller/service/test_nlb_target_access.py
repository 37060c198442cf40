from __future__ import annotations

from typing import Any

import pytest

from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions
from testbed.lb_controller.core.stack import HealthCheck, TargetGroup
from testbed.lb_controller.service.nlb_target_access import Balancer, networking_of
from tests.lb_controller.examples import SUBNETS, service


def balancer(**changes: Any) -> Balancer:
    return Balancer(
        **{
            "options": ControllerOptions(),
            "scheme": "internal",
            "subnets": SUBNETS,
            "is_dualstack": False,
            "has_security_groups": False,
            "backend_security_group": None,
            "vpc_cidrs": ("10.0.0.0/16",),
            "vpc_ipv6_cidrs": (),
            **changes,
        }
    )


def target_group(protocol: str = "TCP", port: int | str = "traffic-port") -> TargetGroup:
    check = HealthCheck(
        port=port,
        protocol="TCP",
        interval_seconds=10,
        timeout_seconds=10,
        healthy_threshold=3,
        unhealthy_threshold=3,
    )
    return TargetGroup(
        id="default/web:80", name="web", target_type="ip", port=8080, protocol=protocol, health_check=check
    )


def test_targets_admit_the_group_of_the_nlb_at_the_ports_in_use() -> None:
    with_groups = balancer(has_security_groups=True, backend_security_group="sg-backend")

    [rule] = networking_of(service(), target_group(port=9000), 8080, with_groups, preserves=False)

    assert rule.security_groups == ("sg-backend",)
    assert rule.ports == (("TCP", 8080), ("TCP", 9000))


def test_without_groups_targets_admit_the_subnets_or_the_clients_that_they_see() -> None:
    [hidden] = networking_of(service(), target_group(), 8080, balancer(), preserves=False)
    [seen] = networking_of(service(), target_group(), 8080, balancer(), preserves=True)

    assert hidden.cidrs == ("10.0.0.0/24", "10.0.1.0/24")
    assert seen.cidrs == ("10.0.0.0/16",)


def test_source_ranges_of_clients_need_a_rule_for_the_health_check_too() -> None:
    ranged = service(spec={"loadBalancerSourceRanges": ["192.168.0.0/16"]})

    clients, checks = networking_of(ranged, target_group(), 8080, balancer(), preserves=True)

    assert clients.cidrs == ("192.168.0.0/16",)
    assert checks.cidrs == ("10.0.0.0/24", "10.0.1.0/24")


def test_the_ranges_of_the_vpc_must_be_known_for_an_internal_nlb() -> None:
    with pytest.raises(BuildError, match="unable to resolve the CIDRs of VPC vpc-testbed"):
        networking_of(service(), target_group(), 8080, balancer(vpc_cidrs=()), preserves=True)


def test_the_annotation_leaves_the_rules_of_targets_alone() -> None:
    item = service(manage_backend_security_group_rules="false")

    assert networking_of(item, target_group(), 8080, balancer(), preserves=True) == ()
