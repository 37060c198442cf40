"""What is read through boto3, however many pages it fills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from testbed.load_balancers.elbv2_state import CROSS_ZONE, Listener, LoadBalancer, TargetGroup, action, read
from testbed.load_balancers.listener_rules import FixedResponse, Forward
from testbed.settings import REGION
from tests.load_balancers.test_endpoints import GROUP

RULES = 100
NOBODY = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


@pytest.fixture
def elbv2() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("elbv2", region_name=REGION)


def listener(elbv2: Any, **more: Any) -> str:
    """A new balancer's listener."""
    subnets = boto3.client("ec2", region_name=REGION).describe_subnets()["Subnets"][:2]
    made = elbv2.create_load_balancer(Name="web", Subnets=[one["SubnetId"] for one in subnets])
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    given = {"Protocol": "HTTP", "Port": 80, "DefaultActions": [NOBODY], **more}
    return str(elbv2.create_listener(LoadBalancerArn=arn, **given)["Listeners"][0]["ListenerArn"])


def read_listener(elbv2: Any) -> Listener:
    return read(elbv2).balancers[0].listeners[0]


def test_all_rules_are_read_though_they_fill_more_than_a_page(elbv2: Any) -> None:
    arn = listener(elbv2)
    for priority in range(1, RULES + 1):
        condition = {"Field": "path-pattern", "Values": [f"/{priority}"]}
        elbv2.create_rule(ListenerArn=arn, Priority=priority, Conditions=[condition], Actions=[NOBODY])
    rules = read_listener(elbv2).rules
    assert [rule.priority for rule in rules] == [*range(1, RULES + 1), 0]


def test_a_listener_has_the_protocols_of_its_security_policy(elbv2: Any) -> None:
    acm = boto3.client("acm", region_name=REGION)
    certificate = acm.request_certificate(DomainName="a.example.com")["CertificateArn"]
    secured = {"Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": certificate}]}
    listener(elbv2, **secured, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")
    assert read_listener(elbv2).protocols == ("TLSv1.2", "TLSv1.3")


def test_a_forward_keeps_weights_and_the_time_that_clients_stick() -> None:
    shares = [{"TargetGroupArn": "a", "Weight": 0}, {"TargetGroupArn": "b"}]
    config: dict[str, Any] = {"TargetGroups": shares}
    assert action([{"Type": "forward", "ForwardConfig": config}]) == Forward((("a", 0), ("b", 1)))
    config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 60}
    assert action([{"Type": "forward", "ForwardConfig": config}]) == Forward((("a", 0), ("b", 1)), 60)
    config["TargetGroupStickinessConfig"]["Enabled"] = False
    assert action([{"Type": "forward", "ForwardConfig": config}]) == Forward((("a", 0), ("b", 1)))
    assert action([NOBODY]) == FixedResponse(404)


@pytest.mark.parametrize(
    ("kind", "balancers", "groups", "crosses"),
    [
        ("alb", None, None, True),
        ("alb", None, "false", False),
        ("nlb", None, None, False),
        ("nlb", "true", "use_load_balancer_configuration", True),
        ("nlb", "true", "false", False),
        ("nlb", "false", "true", True),
    ],
)
def test_cross_zone_is_the_groups_choice_before_the_balancers(
    kind: Any, balancers: str | None, groups: str | None, crosses: bool
) -> None:
    def said(value: str | None) -> dict[str, str]:
        return {} if value is None else {CROSS_ZONE: value}

    balancer = LoadBalancer("lb", "lb", kind, "lb", "active", ("a", "b"), attributes=said(balancers))
    group = TargetGroup(GROUP.arn, "TCP", "", "ip", GROUP.check, (), said(groups))
    assert balancer.crosses_zones_for(group) is crosses
