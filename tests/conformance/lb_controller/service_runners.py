"""How each upstream test of the Service half is played against this implementation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core import stack_json
from testbed.lb_controller.core.annotations import of_service
from testbed.lb_controller.core.feature_gates import Gate
from testbed.lb_controller.service import (
    nlb_health_checks,
    nlb_settings,
    nlb_stack,
    nlb_target_groups,
    service_ownership,
)
from tests.conformance.lb_controller.cases import FAILED, Case, agree, outcome, plain

Json = dict[str, Any]


def whole_service(case: Case) -> None:
    for enabled in (True,) if case.controller["tcpUdpSupport"] == "on only" else (True, False):
        options = case.options(enable_tcp_udp_listener=enabled)

        def build() -> Json:
            stack = nlb_stack.build_service(case.manifests[0], case.cluster(), options)  # noqa: B023
            count = len(stack.security_groups) + len(stack.listeners) + len(stack.target_groups)
            count += len(stack.bindings) + (stack.load_balancer is not None)
            return {**stack_json.to_json(stack), "resourceCount": count}

        built = outcome(case, build)
        if built is not FAILED:
            wanted = {key: value for key, value in case.expect.items() if key != "error"}
            assert plain(built) == plain(wanted)


def alpn_policy(case: Case) -> None:
    given = case.given

    def run() -> list[str]:
        found = nlb_stack.alpn_policy(
            of_service(given["svc"]),
            given["listenerProtocol"],
            given.get("targetProtocol", "TCP"),
            LB_CONTROLLER_RELEASES.newest,
        )
        return [found] if found else []

    agree(case, run)


def listener_attributes(case: Case) -> None:
    service = case.given["svc"]

    def run() -> list[list[Json]]:
        annotations = of_service(service)
        lists = [
            nlb_stack.listener_attributes(annotations, port["protocol"], port["port"])
            for port in service["spec"]["ports"]
        ]
        return [[{"Key": key, "Value": value} for key, value in found.items()] for found in lists]

    agree(case, run)


def multi_protocol(case: Case) -> None:
    outcome(case, lambda: nlb_stack.check_merge(case.given["ports"]))


def tcp_udp(case: Case) -> None:
    options = case.options(enable_tcp_udp_listener=case.given["defaultValue"])
    agree(case, lambda: nlb_stack.merges_tcp_and_udp(case.given["svc"], options))


def balancer_attributes(case: Case) -> None:
    found = outcome(case, lambda: nlb_settings.attributes(of_service(case.given["svc"])))
    if found is not FAILED:
        assert found == {item["key"]: item["value"] for item in case.expect["value"]}


def ip_address_type(case: Case) -> None:
    annotations = of_service(case.given["service"])
    agree(case, lambda: nlb_settings.ip_address_type(annotations, case.options()))


def load_balancer_name(case: Case) -> None:
    given = case.given
    options = case.options(cluster_name="")
    agree(
        case,
        lambda: nlb_settings.load_balancer_name(given["service"], given.get("scheme", ""), options),
    )


def group_attributes(case: Case) -> None:
    given = case.given
    found = outcome(case, lambda: nlb_target_groups.attributes(given["svc"], given.get("port", {})))
    if found is not FAILED:
        assert found == {item["key"]: item["value"] for item in case.expect["value"]}


def health_check(case: Case) -> None:
    given = case.given
    agree(
        case,
        lambda: stack_json.health_check(nlb_health_checks.health_check(given["svc"], given["targetType"])),
    )


def health_check_port(case: Case) -> None:
    given = case.given
    agree(
        case,
        lambda: nlb_health_checks.health_check_port(given["svc"], given["targetType"], given["defaultPort"]),
    )


def client_ip(case: Case) -> None:
    given = case.given
    attributes = {item["key"]: item["value"] for item in given.get("tgAttrs") or ()}
    agree(case, lambda: nlb_target_groups.preserves_client_ip(given["targetType"], attributes))


def target_type(case: Case) -> None:
    given = case.given
    flags = {"default_target_type": given.get("defaultTargetType", "instance")}
    options = case.options(**flags, enable_ip_target_type=given.get("enableIPTargetType", True))
    port = given["svc"]["spec"]["ports"][0]
    agree(case, lambda: nlb_target_groups.target_type(given["svc"], port, options))


def is_supported(case: Case) -> None:
    given = case.given
    gates = {Gate.SERVICE_TYPE_LOAD_BALANCER_ONLY.value: given.get("restrictToTypeLoadBalancer", False)}
    agree(case, lambda: service_ownership.is_supported(given["svc"], case.options(feature_gates=gates)))


def is_pending(case: Case) -> None:
    agree(case, lambda: service_ownership.is_pending_finalization(case.given["svc"]))


RUNNERS: dict[str, Callable[[Case], None]] = {
    "Test_defaultModelBuildTask_buildLoadBalancerIPAddressType": ip_address_type,
    "Test_defaultModelBuildTask_buildLoadBalancerName": load_balancer_name,
    "Test_defaultModelBuilderTask_Build": whole_service,
    "Test_defaultModelBuilderTask_buildLBAttributes": balancer_attributes,
    "Test_defaultModelBuilderTask_buildListenerALPNPolicy": alpn_policy,
    "Test_defaultModelBuilderTask_buildListenerAttributes": listener_attributes,
    "Test_defaultModelBuilderTask_buildTargetHealthCheck": health_check,
    "Test_defaultModelBuilderTask_targetGroupAttrs": group_attributes,
    "Test_defaultModelBuilder_buildPreserveClientIPFlag": client_ip,
    "Test_defaultModelBuilder_buildTargetGroupHealthCheckPort": health_check_port,
    "Test_defaultModelBuilder_buildTargetType": target_type,
    "Test_defaultServiceUtils_IsServicePendingFinalization": is_pending,
    "Test_defaultServiceUtils_IsServiceSupported": is_supported,
    "Test_shouldUseTCPUDP": tcp_udp,
    "Test_validateMultiProtocolUsage": multi_protocol,
}
"""By upstream test."""
