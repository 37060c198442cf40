"""What is read through boto3, however many pages it fills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from testbed.load_balancers.elbv2_state import CROSS_ZONE, Listener, LoadBalancer, TargetGroup, action, read
from testbed.load_balancers.rule_matching import FixedResponse, Forward
from testbed.settings import REGION
from tests.load_balancers.test_eligible_targets import GROUP

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
    return read(elbv2, elbv2).balancers[0].listeners[0]


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


def test_what_is_not_modelled_is_left_out_and_named_and_stops_nothing_else(elbv2: Any) -> None:
    web = read_arn(elbv2, listener(elbv2))
    called = elbv2.create_target_group(Name="called", TargetType="lambda")["TargetGroups"][0]
    vpc = boto3.client("ec2", region_name=REGION).describe_vpcs()["Vpcs"][0]["VpcId"]
    common = {"Port": 80, "VpcId": vpc}
    datagrams = elbv2.create_target_group(Name="datagrams", Protocol="UDP", **common)["TargetGroups"][0]
    both = elbv2.create_target_group(Name="both", Protocol="TCP_UDP", **common)["TargetGroups"][0]
    state = read(elbv2, elbv2)
    assert [balancer.arn for balancer in state.balancers] == [web]
    assert list(state.groups) == [both["TargetGroupArn"]]
    assert state.unmodelled == {
        called["TargetGroupArn"]: "a target group of type lambda; it has no targets here",
        datagrams["TargetGroupArn"]: "a target group of protocol UDP; it has no targets here",
        both["TargetGroupArn"]: "the UDP half of protocol TCP_UDP",
    }


def test_a_listener_that_cannot_be_read_leaves_the_balancers_others_open(elbv2: Any) -> None:
    arn = listener(elbv2)
    odd = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_X"}}
    made = elbv2.create_listener(
        LoadBalancerArn=read_arn(elbv2, arn), Protocol="HTTP", Port=81, DefaultActions=[odd]
    )["Listeners"][0]["ListenerArn"]
    state = read(elbv2, elbv2)
    assert [one.port for one in state.balancers[0].listeners] == [80]
    assert list(state.unmodelled) == [made]
    assert state.unmodelled[made].startswith("ValueError: ")


def read_arn(elbv2: Any, listener_arn: str) -> str:
    """The ARN of the balancer of a listener."""
    found = elbv2.describe_listeners(ListenerArns=[listener_arn])["Listeners"][0]
    return str(found["LoadBalancerArn"])
