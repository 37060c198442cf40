from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from testbed.aws import moto_process
from testbed.errors import Missing
from testbed.network import MOTO_PORT, Network
from testbed.runtime.process import Process
from tests.aws.conftest import Account


def test_a_taken_port_is_told_with_the_last_words(account: Account, network: Network, tmp_path: Path) -> None:
    command, refused = moto_process.command(network.control, MOTO_PORT), r"moto ended with status 1: .*in use"
    with Process(command, tmp_path) as process, pytest.raises(Missing, match=refused):
        process.wait_until(lambda: moto_process.is_ready(process))


def test_each_zone_of_the_region_has_a_subnet(account: Account) -> None:
    found = account.clients.ec2.describe_subnets()["Subnets"]
    assert {one["AvailabilityZone"] for one in found} >= {"ap-northeast-1a", "ap-northeast-1c"}


def test_a_balancer_is_public_unless_it_is_asked_to_be_internal(account: Account) -> None:
    made = account.clients.elbv2.create_load_balancer(Name="default-scheme", Subnets=account.subnets)
    assert made["LoadBalancers"][0]["Scheme"] == "internet-facing"


def test_the_tags_of_an_nlb_stay_with_it(account: Account) -> None:
    arn = account.clients.elbv2.create_load_balancer(
        Name="tagged", Type="network", Subnets=account.subnets, Tags=[{"Key": "a", "Value": "b"}]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    assert ":loadbalancer/net/" in arn
    found = account.clients.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    assert found == [{"Key": "a", "Value": "b"}]


def test_a_balancer_without_target_groups_has_none(account: Account) -> None:
    balancer = account.balancer()["LoadBalancerArn"]
    found = account.clients.elbv2.describe_target_groups(LoadBalancerArn=balancer)
    assert found["TargetGroups"] == []


def test_a_target_group_belongs_to_the_balancer_whose_rules_name_it_now(account: Account) -> None:
    elbv2, balancer = account.clients.elbv2, account.balancer()["LoadBalancerArn"]
    first, second = account.group(), account.group()
    listener = account.listener(balancer, "HTTP", 80, DefaultActions=forward(first))
    assert groups_of(account, balancer) == [first]
    elbv2.modify_listener(ListenerArn=listener, DefaultActions=forward(second))
    assert groups_of(account, balancer) == [second]
    elbv2.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/x"]}}],
        Actions=[
            {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": first, "Weight": 1}]}}
        ],
    )
    assert groups_of(account, balancer) == [first, second]
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    found = elbv2.describe_target_groups(TargetGroupArns=[first])["TargetGroups"][0]
    assert not found.get("LoadBalancerArns")


def forward(group: str) -> Any:
    return [{"Type": "forward", "TargetGroupArn": group}]


def groups_of(account: Account, balancer: str) -> list[str]:
    found = account.clients.elbv2.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"]
    return [one["TargetGroupArn"] for one in found]
