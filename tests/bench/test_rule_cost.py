from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from testbed.bench import rule_cost
from testbed.network import Network
from testbed.settings import REGION


@pytest.fixture
def elbv2():
    with mock_aws():
        yield boto3.client("elbv2", region_name=REGION)


def built(elbv2, rules: int) -> list[dict]:
    """The rules of an ALB that `build` made, in the order of their priorities; the default rule last."""
    ec2 = boto3.client("ec2", region_name=REGION)
    subnets = ec2.describe_subnets()["Subnets"][:2]
    ids = [subnet["SubnetId"] for subnet in subnets]
    acm = boto3.client("acm", region_name=REGION)
    certificate = acm.request_certificate(DomainName="a.example.com")["CertificateArn"]
    name = rule_cost.build(elbv2, certificate, subnets[0]["VpcId"], ids, Network(99), rules)
    (balancer,) = (
        balancer
        for balancer in elbv2.describe_load_balancers()["LoadBalancers"]
        if balancer["DNSName"] == name
    )
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    return elbv2.describe_rules(ListenerArn=listeners[0]["ListenerArn"])["Rules"]


def test_only_the_last_rule_forwards(elbv2):
    *others, last, default = built(elbv2, rule_cost.FEW)
    assert len(others) + 1 == rule_cost.FEW
    assert {rule["Actions"][0]["Type"] for rule in (*others, default)} == {"fixed-response"}
    assert last["Actions"][0]["Type"] == "forward"
    assert last["Conditions"][0]["Values"] == [rule_cost.PATH]


def test_the_first_rule_covers_the_path_whose_answer_changes(elbv2):
    first, *_ = built(elbv2, rule_cost.FEW)
    (pattern,) = first["Conditions"][0]["Values"]
    assert rule_cost.CHANGED.startswith(pattern.rstrip("*"))


def test_without_h2load_there_is_no_latency(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert rule_cost.latencies(("127.0.0.1", "127.0.0.1"), "a.example.com", 1, 1.0) is None
