"""What two accounts have of ELBv2, compared."""

from __future__ import annotations

from typing import Any

from testbed.aws.in_process import InProcessAws
from testbed.network import Network
from testbed.rehearsal import balancer_model

NAMES = ("the emulation", "./controller")
CLUSTER = {"Key": "elbv2.k8s.aws/cluster", "Value": "testbed"}


def model(
    network: Network, name: str, *, path: str = "/a", priorities: tuple[int, ...] = (1,)
) -> balancer_model.Model:
    """An account with one ALB of a group, as a controller makes it; names differ from account to account."""
    with InProcessAws() as aws:
        clients = aws.clients
        subnets = clients.ec2.describe_subnets()["Subnets"][:2]
        stack = [CLUSTER, {"Key": "ingress.k8s.aws/stack", "Value": "shop"}]
        elbv2: Any = clients.elbv2
        balancer = elbv2.create_load_balancer(
            Name=f"lb-{name}", Subnets=[one["SubnetId"] for one in subnets], Tags=stack
        )["LoadBalancers"][0]["LoadBalancerArn"]
        group = elbv2.create_target_group(
            Name=f"tg-{name}",
            Protocol="HTTP",
            Port=8080,
            VpcId=subnets[0]["VpcId"],
            TargetType="ip",
            Tags=[*stack, {"Key": "ingress.k8s.aws/resource", "Value": "default/web:80"}],
        )["TargetGroups"][0]["TargetGroupArn"]
        elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": network.envoy_pod(0), "Port": 8080}])
        listener = elbv2.create_listener(
            LoadBalancerArn=balancer,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
        )["Listeners"][0]["ListenerArn"]
        for priority in priorities:
            elbv2.create_rule(
                ListenerArn=listener,
                Priority=priority,
                Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}],
                Actions=[{"Type": "forward", "TargetGroupArn": group}],
            )
        return balancer_model.read(clients, network)


def test_names_ids_and_addresses_of_a_run_are_no_difference() -> None:
    one, other = model(Network(80), "a"), model(Network(81), "b")
    assert set(one) == {
        "application load balancer of ingress-group/shop",
        "target group default/web:80 of ingress-group/shop",
    }
    assert balancer_model.differences(one, other, NAMES) == []
    assert one["target group default/web:80 of ingress-group/shop"]["Targets"] == ["the run's 1.1:8080"]


def test_another_condition_of_a_rule_is_told_with_its_place() -> None:
    (line,) = balancer_model.differences(model(Network(80), "a"), model(Network(80), "a", path="/b"), NAMES)
    assert line.startswith(
        "application load balancer of ingress-group/shop: Listeners 80 Rules 1 Conditions is "
    )
    assert "/a" in line.partition(" with the emulation")[0]
    assert line.endswith("with ./controller")


def test_a_rule_that_only_one_has_is_told() -> None:
    (line,) = balancer_model.differences(
        model(Network(80), "a", priorities=(1, 2)), model(Network(80), "a"), NAMES
    )
    assert "Listeners 80 Rules 2 is {" in line
    assert line.endswith("absent with ./controller")


def test_a_load_balancer_that_only_one_has_is_told() -> None:
    whole = model(Network(80), "a")
    lines = balancer_model.differences(whole, {}, NAMES)
    assert len(lines) == len(whole)
    assert all(line.endswith("absent with ./controller") for line in lines)
