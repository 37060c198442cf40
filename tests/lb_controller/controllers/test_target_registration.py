from __future__ import annotations

from typing import Any

import pytest

from testbed.lb_controller.controllers import readiness_gates
from testbed.lb_controller.controllers.target_registration import (
    Registrar,
    Target,
    TargetObjects,
    instance_id,
    targets_of,
)
from testbed.lb_controller.core.stack import Kind, Ref, TargetGroupBinding

SERVICE = {
    "metadata": {"namespace": "default", "name": "envoy"},
    "spec": {
        "ports": [
            {"name": "https", "port": 443, "nodePort": 30443},
            {"name": "plain", "port": 8080, "targetPort": 10000},
        ]
    },
}


def binding(port: int | str, target_type: str = "ip", **fields: Any) -> TargetGroupBinding:
    return TargetGroupBinding(
        id="tg",
        name="my-tgb",
        namespace="default",
        service_name="envoy",
        service_port=port,
        target_group=Ref(Kind.TARGET_GROUP, "tg"),
        target_type=target_type,
        target_group_protocol="HTTP",
        **fields,
    )


def node(identity: str, **changes: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": identity, "labels": changes.get("labels", {})},
        "spec": {"providerID": f"aws:///ap-northeast-1a/{identity}", "taints": changes.get("taints", [])},
        "status": {"conditions": changes.get("conditions", [])},
    }


def endpoints(addresses: list[dict[str, Any]], waiting: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    ports = [{"name": "https", "port": 8443}, {"name": "plain", "port": 10000}]
    return {"subsets": [{"addresses": addresses, "notReadyAddresses": waiting or [], "ports": ports}]}


@pytest.mark.parametrize("port", [8080, "plain"])
def test_ip_targets_are_the_endpoints_of_the_port_with_the_endpoints_own_port(port: int | str) -> None:
    known = TargetObjects(service=SERVICE, endpoints=endpoints([{"ip": "127.1.1.1"}, {"ip": "127.1.1.2"}]))
    assert targets_of(binding(port), known) == {Target("127.1.1.1", 10000), Target("127.1.1.2", 10000)}


def test_instance_targets_are_the_nodes_on_the_node_port() -> None:
    known = TargetObjects(service=SERVICE, endpoints=None, nodes=(node("i-1"), node("i-2")))
    assert targets_of(binding(443, "instance"), known) == {Target("i-1", 30443), Target("i-2", 30443)}


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": {"node.kubernetes.io/exclude-from-external-load-balancers": ""}},
        {"taints": [{"key": "ToBeDeletedByClusterAutoscaler"}]},
        {"conditions": [{"type": "Ready", "status": "Unknown"}]},
    ],
    ids=["excluded", "leaving", "not ready"],
)
def test_a_node_that_takes_no_traffic_is_no_target(changes: dict[str, Any]) -> None:
    known = TargetObjects(service=SERVICE, endpoints=None, nodes=(node("i-1"), node("i-2", **changes)))
    assert targets_of(binding(443, "instance"), known) == {Target("i-1", 30443)}


def test_the_node_selector_of_the_binding_chooses_nodes() -> None:
    nodes = (node("i-1", labels={"pool": "a"}), node("i-2"))
    known = TargetObjects(service=SERVICE, endpoints=None, nodes=nodes)
    selected = binding(443, "instance", node_selector={"matchLabels": {"pool": "a"}})
    assert targets_of(selected, known) == {Target("i-1", 30443)}


def test_a_missing_service_or_port_has_no_targets() -> None:
    ready = endpoints([{"ip": "127.1.1.1"}])
    assert targets_of(binding(8080), TargetObjects(service=None, endpoints=ready)) == frozenset()
    assert targets_of(binding(9), TargetObjects(service=SERVICE, endpoints=ready)) == frozenset()
    assert (
        targets_of(binding(8080, "instance"), TargetObjects(service=SERVICE, endpoints=None)) == frozenset()
    )


def test_a_pod_held_back_by_this_gate_alone_is_registered() -> None:
    gate = readiness_gates.condition_type("my-tgb")
    waiting = {"ip": "127.1.1.3", "targetRef": {"kind": "Pod", "name": "held"}}
    pods = {
        "held": {
            "spec": {"readinessGates": [{"conditionType": gate}]},
            "status": {"conditions": [{"type": "ContainersReady", "status": "True"}]},
        }
    }
    known = TargetObjects(service=SERVICE, endpoints=endpoints([], [waiting]), pods=pods)
    assert targets_of(binding(8080), known) == {Target("127.1.1.3", 10000)}
    starting = TargetObjects(service=SERVICE, endpoints=endpoints([], [waiting]), pods={})
    assert targets_of(binding(8080), starting) == frozenset()


@pytest.mark.parametrize(
    ("provider", "identity"), [("aws:///a/i-0a", "i-0a"), ("kind://docker/x", None), (None, None)]
)
def test_the_instance_id_is_the_end_of_the_provider_id(provider: str | None, identity: str | None) -> None:
    assert instance_id({"spec": {"providerID": provider}}) == identity


def test_targets_come_and_go_with_as_few_calls_as_can_be(aws: Any) -> None:
    arn = aws.elbv2.create_target_group(
        Name="t", Protocol="HTTP", Port=80, VpcId=aws.vpc_id, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    registrar = Registrar(aws.elbv2)
    first, second, third = (Target(f"127.1.1.{n}", 10000) for n in (1, 2, 3))
    aws.calls.clear()
    assert registrar.register(arn, frozenset({first, second})) == {}
    assert aws.mutating() == ["RegisterTargets"]
    aws.calls.clear()
    health = registrar.register(arn, frozenset({second, third}))
    assert set(health) == {second}
    assert aws.mutating() == ["DeregisterTargets", "RegisterTargets"]
    aws.calls.clear()
    assert set(registrar.register(arn, frozenset({second, third}))) == {second, third}
    assert aws.mutating() == []


def test_a_target_that_changed_its_port_is_deregistered_before_it_is_registered(aws: Any) -> None:
    arn = aws.elbv2.create_target_group(
        Name="t", Protocol="HTTP", Port=80, VpcId=aws.vpc_id, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    registrar = Registrar(aws.elbv2)
    registrar.register(arn, frozenset({Target("127.1.1.1", 80)}))
    registrar.register(arn, frozenset({Target("127.1.1.1", 81)}))
    assert set(registrar.register(arn, frozenset({Target("127.1.1.1", 81)}))) == {Target("127.1.1.1", 81)}
