from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from testbed.aws.in_process import InProcessAws
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.core.stack import IpPermission, SecurityGroup, Stack
from testbed.lb_controller.deploy.deploy_session import Session
from testbed.lb_controller.deploy.security_group_deployer import SecurityGroupDeployment

GROUP = SecurityGroup(
    id="ManagedLBSecurityGroup",
    group_name="k8s-app-0123456789",
    description="[k8s] Managed SecurityGroup for LoadBalancer",
    ingress=(IpPermission(ip_protocol="tcp", from_port=80, to_port=80, cidr="0.0.0.0/0"),),
    tags={"team": "web"},
)


@pytest.fixture
def aws() -> Iterator[InProcessAws]:
    with InProcessAws() as made:
        yield made


def deploy(aws: InProcessAws, *groups: SecurityGroup) -> tuple[list[str], Session]:
    vpc = aws.clients.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    stack = Stack(id="app", cluster_name="testbed", tag_prefix="ingress.k8s.aws", security_groups=groups)
    session = Session(aws.clients.elbv2, ControllerOptions(vpc_id=vpc), stack, lambda _level, _line: None)
    aws.writes.clear()
    deployment = SecurityGroupDeployment(session, aws.clients.ec2)
    deployment.deploy()
    deployment.delete_unused()
    return [one.action for one in aws.writes], session


def test_a_group_is_made_with_its_rules_and_found_by_its_tags(aws: InProcessAws) -> None:
    actions, first = deploy(aws, GROUP)
    assert actions == ["CreateSecurityGroup", "AuthorizeSecurityGroupIngress"]
    actions, second = deploy(aws, GROUP)
    assert actions == []
    assert first.security_groups == second.security_groups != {}


def test_rules_and_tags_follow_the_stack(aws: InProcessAws) -> None:
    deploy(aws, GROUP)
    rules = (replace(GROUP.ingress[0], from_port=443, to_port=443),)
    actions, _ = deploy(aws, replace(GROUP, ingress=rules, tags={"owner": "me"}))
    assert actions == [
        "CreateTags",
        "DeleteTags",
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupIngress",
    ]


def test_a_group_that_the_stack_no_longer_has_is_deleted(aws: InProcessAws) -> None:
    deploy(aws, GROUP)
    assert deploy(aws)[0] == ["DeleteSecurityGroup"]
