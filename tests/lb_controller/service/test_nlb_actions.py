"""Weighted target groups of an NLB, as the real controller built them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions
from testbed.lb_controller.core.stack import Listener, Stack
from testbed.lb_controller.service import nlb_actions
from testbed.lb_controller.service.nlb_stack import build_service
from tests.lb_controller.examples import cluster, service

OPTIONS = ControllerOptions()
LOCAL = {"externalTrafficPolicy": "Local", "healthCheckNodePort": 32000}


def weighted(*targets: dict[str, Any], **further: Any) -> str:
    return json.dumps({"type": "forward", "forwardConfig": {"targetGroups": targets, **further}})


def to(name: str, port: int | str = 80, weight: int | None = 10) -> dict[str, Any]:
    return {"serviceName": name, "servicePort": port, **({} if weight is None else {"weight": weight})}


def build(
    action: str,
    key: str = "TCP-80",
    *,
    others: Any = None,
    spec: dict[str, Any] | None = None,
    **annotations: str,
) -> Stack:
    settings = {"type": "external", "nlb_target_type": "instance", **annotations}
    item = service("edge", kind="LoadBalancer", spec=spec, **settings)
    item["metadata"]["annotations"][f"service.beta.kubernetes.io/actions.{key}"] = action
    known = [service("new", kind="NodePort"), service("newer", kind="NodePort")] if others is None else others
    return build_service(item, cluster(item, *known, vpc_cidrs=("10.0.0.0/16",)), OPTIONS)


def shares(listener: Listener) -> list[tuple[str, int | None]]:
    (action,) = listener.default_actions
    assert action.forward
    return [
        (str(getattr(item.target_group, "id", item.target_group)), item.weight)
        for item in action.forward.target_groups
    ]


def test_a_listener_shares_its_flows_between_the_service_and_others_by_weight() -> None:
    stack = build(weighted(to("new"), to("newer", weight=0), baseServiceWeight=90))

    assert shares(stack.listeners[0]) == [
        ("default/edge:80", 90),
        ("default/new:80", 10),
        ("default/newer:80", 0),
    ]
    assert [group.id for group in stack.target_groups] == [binding.id for binding in stack.bindings]
    assert [binding.service_name for binding in stack.bindings] == ["edge", "new", "newer"]


def test_the_name_of_another_services_group_holds_the_uid_of_the_annotated_service() -> None:
    # Cluster 44 of the recordings: the name that v3.5.0 gave.
    port = {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP", "nodePort": 30110}
    other = service("svc1", kind="NodePort", spec={"ports": [port]})
    other["metadata"] |= {"namespace": "ns055044", "uid": "00000055-0044-4000-8000-586151834955"}
    item = service("lb0", kind="LoadBalancer", type="nlb-ip")
    item["metadata"] |= {"namespace": "ns055044", "uid": "00000055-0044-4000-8000-613266429561"}
    item["metadata"]["annotations"]["service.beta.kubernetes.io/actions.TCP-80"] = weighted(to("svc1"))

    stack = build_service(item, cluster(item, other), OPTIONS)

    assert stack.target_groups[1].name == "k8s-ns055044-svc1-ac5a2f59a7"


def test_the_annotations_of_the_annotated_service_count_for_all_targets() -> None:
    stack = build(
        weighted(to("new"), baseServiceWeight=90),
        healthcheck_protocol="https",
        target_node_labels="role=edge",
        multi_cluster_target_group="true",
    )
    own, other = stack.target_groups
    assert own.health_check == other.health_check
    assert other.health_check.protocol == "HTTPS"
    assert {binding.multi_cluster for binding in stack.bindings} == {True}
    assert [binding.node_selector for binding in stack.bindings] == [{"matchLabels": {"role": "edge"}}] * 2


def test_the_traffic_policy_of_the_annotated_service_is_its_own() -> None:
    own, other = build(weighted(to("new"), baseServiceWeight=90), spec=LOCAL).target_groups
    assert (own.health_check.port, other.health_check.port) == (32000, "traffic-port")


def test_the_key_has_the_protocol_of_the_listener() -> None:
    forward = weighted(to("new"), baseServiceWeight=90)
    assert shares(build(forward, ssl_cert="arn:one").listeners[0]) == [("default/edge:80", None)]
    assert len(shares(build(forward, "TLS-80", ssl_cert="arn:one").listeners[0])) == 2


def test_a_port_written_as_text_is_a_number() -> None:
    assert shares(build(weighted(to("new", "80"))).listeners[0])[1][0] == "default/new:80"


def test_a_target_group_of_its_own_is_named_by_its_arn() -> None:
    action = json.dumps({"type": "forward", "targetGroupARN": "arn:theirs"})
    assert shares(build(action).listeners[0]) == [("arn:theirs", None)]


@pytest.mark.parametrize(
    ("action", "others", "text"),
    [
        (
            weighted(to("new")),
            [service("new")],
            'unsupported service type "ClusterIP" for load balancer target type "instance"',
        ),
        (weighted(to("new")), [], 'services "new" not found'),
        (
            weighted(to("new", 8123)),
            [service("new", kind="NodePort")],
            "unable to find port 8123 on service default/new",
        ),
        ('{"type": "redirect"}', [], "unknown action type: redirect"),
    ],
)
def test_a_wrong_action_is_refused(action: str, others: Any, text: str) -> None:
    with pytest.raises(BuildError) as refused:
        build(action, others=others)
    assert str(refused.value) == text


def test_a_listener_without_the_annotation_has_no_forward_of_its_own() -> None:
    assert nlb_actions.forward_of(service(kind="LoadBalancer"), "TCP", 80) is None
