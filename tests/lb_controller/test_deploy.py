from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from hypothesis import HealthCheck as Health
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.lb_controller import elbv2_shapes, in_tree
from testbed.lb_controller.deploy import Deployer, DeployError
from testbed.lb_controller.inputs import ClusterState, ControllerOptions, Version
from testbed.lb_controller.stack import (
    Action,
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    Kind,
    Listener,
    ListenerRule,
    LoadBalancer,
    Matcher,
    Redirect,
    Ref,
    Stack,
    SubnetMapping,
    TargetGroup,
    WeightedTargetGroup,
)

NOT_FOUND = Action(type="fixed-response", fixed_response=FixedResponse(status_code="404"))
CHECK = HealthCheck(
    port="traffic-port",
    protocol="HTTP",
    path="/",
    interval_seconds=15,
    timeout_seconds=5,
    healthy_threshold=2,
    unhealthy_threshold=2,
    matcher=Matcher(http_code="200"),
)


def group(name: str, version: str = "HTTP1", /, **changes: Any) -> TargetGroup:
    check = replace(CHECK, matcher=Matcher(grpc_code="12")) if version == "GRPC" else CHECK
    return TargetGroup(
        **{
            "id": f"default/{name}",
            "name": f"k8s-{name}-{version.lower()}",
            "target_type": "ip",
            "port": 8080,
            "protocol": "HTTP",
            "protocol_version": version,
            "health_check": check,
            **changes,
        }
    )


def forward(*names: str) -> Action:
    targets = (WeightedTargetGroup(target_group=Ref(Kind.TARGET_GROUP, f"default/{name}")) for name in names)
    return Action(type="forward", forward=Forward(target_groups=tuple(targets)))


def rule(priority: int, path: str, action: Action, port: int = 80) -> ListenerRule:
    condition = Condition(field="path-pattern", values=(path,))
    return ListenerRule(listener_port=port, priority=priority, conditions=(condition,), actions=(action,))


def stack(aws: Any, **changes: Any) -> Stack:
    balancer = LoadBalancer(
        name="k8s-app-0123456789",
        type="application",
        scheme="internet-facing",
        subnet_mappings=tuple(SubnetMapping(subnet_id=one.id) for one in aws.subnets),
    )
    groups = (group("a"), group("b", "GRPC"))
    rules = (rule(1, "/a", forward("a")), rule(2, "/b", forward("b")))
    listeners = (Listener(port=80, protocol="HTTP", default_actions=(NOT_FOUND,)),)
    fields = {"load_balancer": balancer, "target_groups": groups, "rules": rules, "listeners": listeners}
    return Stack(id="app", cluster_name="testbed", tag_prefix="ingress.k8s.aws", **{**fields, **changes})


def deployer(aws: Any, version: Version = Version.NEWEST) -> Deployer:
    return Deployer(
        aws.elbv2, ControllerOptions(vpc_id=aws.vpc_id, version=version), lambda level, message: None
    )


def read_back(aws: Any) -> dict[str, Any]:
    """All that stands in ELBv2, in terms of the stack: names for ARNs."""
    api = aws.elbv2
    names = {one["TargetGroupArn"]: one["TargetGroupName"] for one in every(api.describe_target_groups)}
    found: dict[str, Any] = {"groups": {}, "balancers": {}}
    for one in every(api.describe_target_groups):
        found["groups"][one["TargetGroupName"]] = (
            one["Protocol"],
            one.get("ProtocolVersion"),
            one["TargetType"],
            elbv2_shapes.read_health_check(one).interval_seconds,
        )
    for balancer in every(api.describe_load_balancers):
        listeners = {}
        for one in api.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            rules = {
                int(item["Priority"]): (
                    elbv2_shapes.read_conditions(item["Conditions"]),
                    elbv2_shapes.normal_actions(
                        elbv2_shapes.read_actions(item["Actions"]), names.__getitem__
                    ),
                )
                for item in every(api.describe_rules, ListenerArn=one["ListenerArn"])
                if not item["IsDefault"]
            }
            default = elbv2_shapes.normal_actions(
                elbv2_shapes.read_actions(one["DefaultActions"]), lambda arn: names.get(str(arn), str(arn))
            )
            listeners[one["Port"]] = (one["Protocol"], default, rules)
        found["balancers"][balancer["LoadBalancerName"]] = (balancer["Type"], balancer["Scheme"], listeners)
    return found


def every(operation: Any, **arguments: Any) -> list[Any]:
    answer = operation(**arguments)
    items = next(value for value in answer.values() if isinstance(value, list))
    while answer.get("NextMarker"):
        answer = operation(**arguments, Marker=answer["NextMarker"])
        items += next(value for value in answer.values() if isinstance(value, list))
    return items


def expected(wanted: Stack) -> dict[str, Any]:
    """What `read_back` must give after a deploy of the stack."""
    names = {one.id: one.name for one in wanted.target_groups}

    def resolve(reference: Any) -> str:
        return names[reference.id]

    groups = {
        one.name: (one.protocol, one.protocol_version, one.target_type, one.health_check.interval_seconds)
        for one in wanted.target_groups
    }
    balancer = wanted.load_balancer
    if balancer is None:
        return {"groups": groups, "balancers": {}}
    listeners = {
        one.port: (
            one.protocol,
            elbv2_shapes.normal_actions(one.default_actions, resolve),
            {
                item.priority: (item.conditions, elbv2_shapes.normal_actions(item.actions, resolve))
                for item in wanted.rules
                if item.listener_port == one.port
            },
        )
        for one in wanted.listeners
    }
    return {"groups": groups, "balancers": {balancer.name: (balancer.type, balancer.scheme, listeners)}}


def test_a_deployed_stack_reads_back_as_it_was_wanted(aws: Any) -> None:
    wanted = stack(aws)
    deployed = deployer(aws).deploy(wanted)
    assert read_back(aws) == expected(wanted)
    assert deployed.dns_name is not None
    assert set(deployed.target_groups) == {"default/a", "default/b"}


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


@pytest.mark.parametrize("version", list(Version))
def test_a_second_deploy_changes_nothing(aws: Any, version: Version) -> None:
    wanted = stack(aws)
    first = deployer(aws, version).deploy(wanted)
    aws.calls.clear()
    assert deployer(aws, version).deploy(wanted) == first
    assert aws.mutating() == []


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


def test_a_changed_listener_port_is_deleted_first_and_then_made(aws: Any) -> None:
    deployer(aws).deploy(stack(aws))
    aws.calls.clear()
    listeners = (Listener(port=81, protocol="HTTP", default_actions=(NOT_FOUND,)),)
    wanted = stack(aws, listeners=listeners, rules=(rule(1, "/a", forward("a"), 81),))
    deployer(aws).deploy(wanted)
    assert aws.mutating()[:2] == ["DeleteListener", "CreateListener"]
    assert read_back(aws) == expected(wanted)


def test_a_rule_put_in_front_moves_the_others_and_rewrites_none(aws: Any) -> None:
    deployer(aws).deploy(stack(aws))
    aws.calls.clear()
    rules = (rule(1, "/new", forward("b")), rule(2, "/a", forward("a")), rule(3, "/b", forward("b")))
    wanted = stack(aws, rules=rules)
    deployer(aws).deploy(wanted)
    assert [one for one in aws.mutating() if "Tags" not in one] == ["SetRulePriorities", "CreateRule"]
    assert read_back(aws) == expected(wanted)


def test_v2_1_rewrites_all_rules_behind_one_put_in_front(aws: Any) -> None:
    deployer(aws, Version.V2_1).deploy(stack(aws))
    aws.calls.clear()
    rules = (rule(1, "/new", forward("b")), rule(2, "/a", forward("a")), rule(3, "/b", forward("b")))
    wanted = stack(aws, rules=rules)
    deployer(aws, Version.V2_1).deploy(wanted)
    assert aws.mutating() == ["CreateRule", "ModifyRule", "ModifyRule"]
    assert read_back(aws) == expected(wanted)


def test_certificates_beyond_the_first_come_and_go_one_by_one(aws: Any) -> None:
    first, second, third = (aws.certificate(f"{name}.example.com") for name in "abc")

    def described(*certificates: str) -> list[str]:
        listener = Listener(
            port=443, protocol="HTTPS", default_actions=(NOT_FOUND,), certificates=certificates
        )
        wanted = stack(aws, listeners=(listener,), rules=())
        aws.calls.clear()
        deployer(aws).deploy(wanted)
        shape = aws.elbv2.describe_listeners(LoadBalancerArn=arn_of_balancer(aws))["Listeners"][0]
        found = aws.elbv2.describe_listener_certificates(ListenerArn=shape["ListenerArn"])["Certificates"]
        return [one["CertificateArn"] for one in found]

    assert described(first, second) == [first, second]
    assert described(first, second, third) == [first, second, third]
    assert aws.mutating() == ["AddListenerCertificates"]
    assert described(first, third) == [first, third]
    assert aws.mutating() == ["RemoveListenerCertificates"]
    assert described(second, third) == [second, third]
    assert aws.mutating()[0] == "ModifyListener"


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


def test_a_full_listener_gives_up_an_old_rule_for_each_new_one(aws: Any) -> None:
    deployer(aws).deploy(stack(aws))
    standing = 2

    def refuse_third(operation: str, params: Any) -> Any:
        nonlocal standing
        if operation == "CreateRule" and standing == 2:
            return answer("TooManyRules", "too many rules")
        standing += {"CreateRule": 1, "DeleteRule": -1}.get(operation, 0)
        return None

    aws.refuse = refuse_third
    wanted = stack(aws, rules=(rule(11, "/x", forward("a")), rule(12, "/y", forward("b"))))
    deployer(aws).deploy(wanted)
    assert read_back(aws) == expected(wanted)


@pytest.mark.parametrize(
    ("version", "text"),
    [
        (Version.V2_1, "InvalidLoadBalancerAction: not with GRPC\n\tstatus code: 400, request id: r-1"),
        (
            Version.NEWEST,
            "operation error Elastic Load Balancing v2: CreateRule, https response error StatusCode: 400, "
            "RequestID: r-1, InvalidLoadBalancerAction: not with GRPC",
        ),
    ],
    ids=["v2.1", "newest"],
)
def test_a_refusal_is_told_in_the_words_of_the_controllers_sdk(aws: Any, version: Version, text: str) -> None:
    aws.refuse = lambda operation, params: (
        answer("InvalidLoadBalancerAction", "not with GRPC") if operation == "CreateRule" else None
    )
    with pytest.raises(DeployError) as refused:
        deployer(aws, version).deploy(stack(aws))
    assert str(refused.value) == text
    assert len(every(aws.elbv2.describe_listeners, LoadBalancerArn=arn_of_balancer(aws))) == 1


def arn_of_balancer(aws: Any) -> str:
    return str(every(aws.elbv2.describe_load_balancers)[0]["LoadBalancerArn"])


def answer(code: str, message: str) -> tuple[AWSResponse, dict[str, Any]]:
    """An error of AWS that never reaches the server."""
    error = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": "r-1"},
    }
    return AWSResponse("http://refused", 400, {}, None), error


def in_tree_stack(aws: Any, node_port: int = 30443, **annotations: str) -> Stack:
    prefix = in_tree.PREFIX
    service = {
        "metadata": {
            "namespace": "default",
            "name": "envoy",
            "uid": "2f4b6d8e-0a1c-4e5f-8a9b-0c1d2e3f4a5b",
            "annotations": {
                f"{prefix}type": "nlb",
                **{prefix + key: one for key, one in annotations.items()},
            },
        },
        "spec": {"type": "LoadBalancer", "ports": [{"port": 443, "nodePort": node_port}]},
    }
    return in_tree.build(service, ClusterState(subnets=aws.subnets), ControllerOptions())


def test_the_cloud_provider_never_changes_the_scheme_of_a_standing_nlb(aws: Any) -> None:
    work = deployer(aws, Version.V2_1)
    first = work.deploy(in_tree_stack(aws))
    aws.calls.clear()
    assert work.deploy(in_tree_stack(aws, internal="true")) == first
    assert aws.mutating() == []


def test_a_changed_node_port_moves_the_listener_to_a_new_target_group(aws: Any) -> None:
    work = deployer(aws, Version.V2_1)
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
@given(st.lists(shapes(), min_size=1, max_size=4), st.sampled_from(Version))
def test_any_history_of_stacks_ends_in_the_last_one_with_nothing_left_over(
    aws: Any, history: list[dict[str, Any]], version: Version
) -> None:
    work = deployer(aws, version)
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
