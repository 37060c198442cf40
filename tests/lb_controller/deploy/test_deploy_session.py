from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.lb_controller.core.stack import Stack
from testbed.lb_controller.deploy import elbv2_shapes
from testbed.lb_controller.deploy.deploy_session import DeployError, Reader, as_deploy_error
from tests.lb_controller.deploy.deployed_stacks import (
    answer,
    arn_of_balancer,
    deployer,
    every,
    expected,
    group,
    read_back,
    stack,
)


def test_everything_is_tagged_with_stack_and_resource(aws: Any) -> None:
    deployer(aws).deploy(stack(aws))
    arns = [one["LoadBalancerArn"] for one in every(aws.elbv2.describe_load_balancers)]
    listener = aws.elbv2.describe_listeners(LoadBalancerArn=arns[0])["Listeners"][0]["ListenerArn"]
    arns += [listener]
    arns += [one["RuleArn"] for one in every(aws.elbv2.describe_rules, ListenerArn=listener)][:1]
    described = aws.elbv2.describe_tags(ResourceArns=arns)["TagDescriptions"]
    tags = [elbv2_shapes.read_tags(one["Tags"]) for one in described]
    assert [one["ingress.k8s.aws/resource"] for one in tags] == ["LoadBalancer", "80", "80:1"]
    assert {one["ingress.k8s.aws/stack"] for one in tags} == {"app"}
    assert {one["elbv2.k8s.aws/cluster"] for one in tags} == {"testbed"}


def test_the_stacks_of_two_groups_do_not_touch_each_other(aws: Any) -> None:
    one = stack(aws)
    other = replace(
        one,
        id="other",
        load_balancer=replace(one.load_balancer, name="k8s-other"),
        target_groups=(group("a", name="k8s-other-a"), group("b", "GRPC", name="k8s-other-b")),
    )
    deployer(aws).deploy(one)
    deployer(aws).deploy(other)
    deployer(aws).deploy(Stack(id="other", cluster_name="testbed", tag_prefix="ingress.k8s.aws"))
    assert read_back(aws) == expected(one)


@pytest.mark.parametrize(
    ("release", "text"),
    [
        (
            LB_CONTROLLER_RELEASES.oldest,
            "InvalidLoadBalancerAction: not with GRPC\n\tstatus code: 400, request id: r-1",
        ),
        (
            LB_CONTROLLER_RELEASES.newest,
            "operation error Elastic Load Balancing v2: CreateRule, https response error StatusCode: 400, "
            "RequestID: r-1, InvalidLoadBalancerAction: not with GRPC",
        ),
    ],
    ids=["v2.1", "newest"],
)
def test_a_refusal_has_the_words_of_the_controllers_sdk(aws: Any, release: Release, text: str) -> None:
    aws.refuse = lambda operation, params: (
        answer("InvalidLoadBalancerAction", "not with GRPC") if operation == "CreateRule" else None
    )
    with pytest.raises(DeployError) as refused:
        deployer(aws, release).deploy(stack(aws))
    assert str(refused.value) == text
    assert len(every(aws.elbv2.describe_listeners, LoadBalancerArn=arn_of_balancer(aws))) == 1


@pytest.mark.parametrize("release", [LB_CONTROLLER_RELEASES.oldest, LB_CONTROLLER_RELEASES.newest])
def test_an_endpoint_that_does_not_answer_is_a_deploy_error_too(release: Release) -> None:
    with pytest.raises(DeployError, match="Could not connect"), as_deploy_error(release):
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1/")


def test_tags_of_many_resources_are_read_in_calls_of_twenty(aws: Any) -> None:
    groups = tuple(group(f"many-{number}") for number in range(23))
    deployer(aws).deploy(stack(aws, target_groups=groups, rules=()))
    aws.calls.clear()

    owned = Reader(aws.elbv2).owned(
        "describe_target_groups",
        "TargetGroups",
        "TargetGroupArn",
        {"elbv2.k8s.aws/cluster": "testbed"},
    )

    assert len(owned) == 23
    assert aws.calls.count("DescribeTags") == 2
