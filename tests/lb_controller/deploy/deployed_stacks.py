"""Stacks to deploy, and what stands in ELBv2 afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from botocore.awsrequest import AWSResponse

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.lb_controller.core.build_inputs import ClusterState, ControllerOptions
from testbed.lb_controller.core.stack import (
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
    Ref,
    Stack,
    SubnetMapping,
    TargetGroup,
    WeightedTargetGroup,
)
from testbed.lb_controller.deploy import elbv2_shapes
from testbed.lb_controller.deploy.stack_deployer import Deployer
from testbed.lb_controller.service import in_tree_nlb

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


def deployer(aws: Any, release: Release = LB_CONTROLLER_RELEASES.newest) -> Deployer:
    return Deployer(
        aws.elbv2, ControllerOptions(vpc_id=aws.vpc_id, release=release), lambda level, message: None
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
    prefix = in_tree_nlb.PREFIX
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
    return in_tree_nlb.build(service, ClusterState(subnets=aws.subnets), ControllerOptions())
