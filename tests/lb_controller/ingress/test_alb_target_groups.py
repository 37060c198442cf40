from __future__ import annotations

from typing import Any

import pytest

from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions, GroupID, Member
from testbed.lb_controller.core.stack import TargetGroup
from testbed.lb_controller.ingress import alb_target_groups
from testbed.lb_controller.ingress.alb_target_groups import Surroundings
from tests.lb_controller.examples import ingress, service

AROUND = Surroundings(group=GroupID("", "app"), options=ControllerOptions())


def build(item: dict[str, Any], backend: dict[str, Any], port: int | str = 80) -> TargetGroup:
    return alb_target_groups.build(Member(ingress=item), backend, port, AROUND)[0]


def annotated(backend: dict[str, Any], **annotations: str) -> dict[str, Any]:
    named = {
        f"alb.ingress.kubernetes.io/{key.replace('_', '-')}": value for key, value in annotations.items()
    }
    return {**backend, "metadata": {**backend["metadata"], "annotations": named}}


def test_instances_get_the_node_port_and_ips_the_target_port() -> None:
    backend = service(kind="NodePort")

    assert build(ingress("a"), backend).port == 30080
    assert build(ingress("a", target_type="ip"), backend).port == 8080


def test_a_cluster_ip_service_has_no_port_for_instances() -> None:
    with pytest.raises(BuildError) as raised:
        build(ingress("a"), service())
    assert str(raised.value) == (
        "TargetGroup port is empty. When using Instance targets, "
        "your service be must of type 'NodePort' or 'LoadBalancer'"
    )


def test_the_annotations_of_the_service_win_over_those_of_the_ingress() -> None:
    item = ingress("a", target_type="ip", backend_protocol_version="HTTP1", healthcheck_path="/ingress")

    group = build(item, annotated(service(), backend_protocol_version="GRPC", healthcheck_path="/s/Check"))

    assert (group.protocol_version, group.health_check.path) == ("GRPC", "/s/Check")


@pytest.mark.parametrize(
    ("annotations", "error"),
    [
        (
            {"backend_protocol_version": "grpc"},
            "backend protocol version must be within [HTTP1, HTTP2, GRPC]: grpc",
        ),
        ({"backend_protocol": "TCP"}, "backend protocol must be within [HTTP, HTTPS]: TCP"),
        ({"target_type": "lambda"}, "unknown targetType: lambda"),
        ({"healthcheck_protocol": "TCP"}, "healthCheckProtocol must be within [HTTP, HTTPS]"),
        (
            {"healthcheck_port": "metrics"},
            "failed to resolve healthCheckPort: unable to find port metrics on service default/web",
        ),
    ],
)
def test_a_wrong_setting_is_refused(annotations: dict[str, str], error: str) -> None:
    with pytest.raises(BuildError) as raised:
        build(ingress("a", **{"target_type": "ip", **annotations}), service())
    assert str(raised.value) == error


def test_what_cannot_be_modified_in_aws_changes_the_name() -> None:
    plain = build(ingress("a", target_type="ip"), service())
    grpc = build(ingress("a", target_type="ip", backend_protocol_version="GRPC"), service())
    checked = build(ingress("a", target_type="ip", healthcheck_path="/up"), service())

    assert plain.id == grpc.id
    assert plain.name != grpc.name
    assert plain.name == checked.name


def test_success_codes_are_grpc_codes_for_a_grpc_group() -> None:
    group = build(
        ingress("a", target_type="ip", backend_protocol_version="GRPC", success_codes="0-5"), service()
    )

    assert group.health_check.matcher
    assert (group.health_check.matcher.grpc_code, group.health_check.matcher.http_code) == ("0-5", None)


@pytest.mark.parametrize("is_shared", ["true", "false"])
def test_a_target_group_may_be_shared_with_other_clusters(is_shared: str) -> None:
    item = ingress("a", target_type="ip", multi_cluster_target_group="true")
    backend = annotated(service(), multi_cluster_target_group=is_shared)
    _, binding = alb_target_groups.build(Member(ingress=item), backend, 80, AROUND)
    assert binding.multi_cluster is (is_shared == "true")
