from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck as Health
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.lb_controller.core.stack import Action, Listener, Redirect, Stack
from testbed.lb_controller.deploy.stack_deployer import Deployed
from tests.lb_controller.deploy.deployed_stacks import (
    CHECK,
    NOT_FOUND,
    answer,
    deployer,
    expected,
    forward,
    group,
    in_tree_stack,
    read_back,
    rule,
    stack,
)


def test_a_deployed_stack_reads_back_as_it_was_wanted(aws: Any) -> None:
    wanted = stack(aws)
    deployed = deployer(aws).deploy(wanted)
    assert read_back(aws) == expected(wanted)
    assert deployed.dns_name is not None
    assert set(deployed.target_groups) == {"default/a", "default/b"}


def test_an_empty_stack_has_neither_a_name_nor_target_groups(aws: Any) -> None:
    nothing = Stack(id="app", cluster_name="testbed", tag_prefix="ingress.k8s.aws")

    assert deployer(aws).deploy(nothing) == Deployed(None, {})
    assert aws.mutating() == []


def test_the_order_of_work_is_groups_balancer_listeners_rules(aws: Any) -> None:
    deployer(aws).deploy(stack(aws))
    assert aws.mutating() == [
        "CreateTargetGroup",
        "CreateTargetGroup",
        "CreateLoadBalancer",
        "CreateListener",
        "CreateRule",
        "CreateRule",
    ]


@pytest.mark.parametrize("release", [LB_CONTROLLER_RELEASES.oldest, LB_CONTROLLER_RELEASES.newest])
def test_a_second_deploy_changes_nothing(aws: Any, release: Release) -> None:
    wanted = stack(aws)
    first = deployer(aws, release).deploy(wanted)
    aws.calls.clear()
    assert deployer(aws, release).deploy(wanted) == first
    assert aws.mutating() == []


def test_a_changed_protocol_version_replaces_the_group_and_deletes_the_old_one_last(aws: Any) -> None:
    deployer(aws).deploy(stack(aws))
    aws.calls.clear()
    wanted = stack(aws, target_groups=(group("a", "HTTP2"), group("b", "GRPC")))
    deployer(aws).deploy(wanted)
    assert aws.mutating() == ["CreateTargetGroup", "ModifyRule", "DeleteTargetGroup"]
    assert read_back(aws) == expected(wanted)


def test_a_changed_health_check_is_modified_in_place(aws: Any) -> None:
    before = deployer(aws).deploy(stack(aws))
    aws.calls.clear()
    slower = group("a", health_check=replace(CHECK, interval_seconds=20))
    after = deployer(aws).deploy(stack(aws, target_groups=(slower, group("b", "GRPC"))))
    assert aws.mutating() == ["ModifyTargetGroup"]
    assert after == before


def test_a_changed_scheme_deletes_the_balancer_before_the_new_one_is_made(aws: Any) -> None:
    wanted = stack(aws)
    deployer(aws).deploy(wanted)
    aws.calls.clear()
    internal = replace(wanted, load_balancer=replace(wanted.load_balancer, scheme="internal", name="k8s-new"))
    deployer(aws).deploy(internal)
    assert aws.mutating()[:2] == ["DeleteLoadBalancer", "CreateLoadBalancer"]
    assert read_back(aws) == expected(internal)


def test_attributes_are_sent_when_they_differ_and_only_then(aws: Any) -> None:
    wanted = stack(aws)
    assert wanted.load_balancer is not None
    slow = group("a", attributes={"deregistration_delay.timeout_seconds": "30"})
    loud = replace(
        wanted,
        load_balancer=replace(wanted.load_balancer, attributes={"idle_timeout.timeout_seconds": "600"}),
        target_groups=(slow, group("b", "GRPC")),
    )
    deployer(aws).deploy(wanted)
    aws.calls.clear()
    deployer(aws).deploy(loud)
    assert aws.mutating() == ["ModifyTargetGroupAttributes", "ModifyLoadBalancerAttributes"]
    aws.calls.clear()
    deployer(aws).deploy(loud)
    assert aws.mutating() == []


def test_deletion_protection_is_switched_off_when_the_group_is_empty(aws: Any) -> None:
    deployer(aws).deploy(stack(aws))
    refused = []

    def refuse_once(operation: str, params: Any) -> Any:
        if operation == "DeleteLoadBalancer" and not refused:
            refused.append(operation)
            return answer("OperationNotPermitted", "deletion protection is enabled")
        return None

    aws.refuse = refuse_once
    aws.calls.clear()
    deployer(aws).deploy(Stack(id="app", cluster_name="testbed", tag_prefix="ingress.k8s.aws"))
    assert aws.mutating()[:3] == [
        "DeleteLoadBalancer",
        "ModifyLoadBalancerAttributes",
        "DeleteLoadBalancer",
    ]
    assert read_back(aws) == {"groups": {}, "balancers": {}}


def test_the_cloud_provider_never_changes_the_scheme_of_a_standing_nlb(aws: Any) -> None:
    work = deployer(aws, LB_CONTROLLER_RELEASES.oldest)
    first = work.deploy(in_tree_stack(aws))
    aws.calls.clear()
    assert work.deploy(in_tree_stack(aws, internal="true")) == first
    assert aws.mutating() == []


def test_a_changed_node_port_moves_the_listener_to_a_new_target_group(aws: Any) -> None:
    work = deployer(aws, LB_CONTROLLER_RELEASES.oldest)
    first = work.deploy(in_tree_stack(aws))
    aws.calls.clear()
    second = work.deploy(in_tree_stack(aws, 30444))
    assert aws.mutating() == ["CreateTargetGroup", "ModifyListener", "DeleteTargetGroup"]
    assert second.dns_name == first.dns_name
    assert second.target_groups != first.target_groups


PATHS = st.sampled_from(["/a", "/b", "/c/*", "/d"])
ACTIONS = st.one_of(
    st.sampled_from([forward("a"), forward("b"), forward("a", "b")]),
    st.just(NOT_FOUND),
    st.just(Action(type="redirect", redirect=Redirect(status_code="HTTP_301", protocol="HTTPS", port="443"))),
)


@st.composite
def shapes(draw: st.DrawFn) -> dict[str, Any]:
    """Changes to the plain stack: versions of its groups, ports, rules; {} deletes everything."""
    if draw(st.integers(0, 5)) == 0:
        return {}
    ports = draw(st.sets(st.sampled_from([80, 81]), min_size=1))
    rules = []
    for port in sorted(ports):
        pairs = draw(st.lists(st.tuples(PATHS, ACTIONS), max_size=4))
        rules += [rule(number, path, action, port) for number, (path, action) in enumerate(pairs, 1)]
    versions = draw(st.tuples(*[st.sampled_from(["HTTP1", "HTTP2", "GRPC"])] * 2))
    return {
        "scheme": draw(st.sampled_from(["internal", "internet-facing"])),
        "listeners": tuple(
            Listener(port=port, protocol="HTTP", default_actions=(draw(ACTIONS),)) for port in sorted(ports)
        ),
        "rules": tuple(rules),
        "target_groups": tuple(map(group, "ab", versions)),
    }


@settings(max_examples=15, deadline=None, suppress_health_check=[Health.function_scoped_fixture])
@given(st.lists(shapes(), min_size=1, max_size=4), st.sampled_from(list(LB_CONTROLLER_RELEASES.values())))
def test_any_history_of_stacks_ends_in_the_last_one_with_nothing_left_over(
    aws: Any, history: list[dict[str, Any]], release: Release
) -> None:
    work = deployer(aws, release)
    nothing = Stack(id="app", cluster_name="testbed", tag_prefix="ingress.k8s.aws")
    for changes in history:
        wanted = nothing
        if changes:
            scheme = changes["scheme"]
            wanted = stack(aws, **{key: item for key, item in changes.items() if key != "scheme"})
            balancer = replace(wanted.load_balancer, scheme=scheme, name=f"k8s-{scheme}")
            wanted = replace(wanted, load_balancer=balancer)
        work.deploy(wanted)
        assert read_back(aws) == expected(wanted)
    aws.calls.clear()
    work.deploy(wanted)
    assert aws.mutating() == []
    work.deploy(nothing)
    assert read_back(aws) == {"groups": {}, "balancers": {}}
