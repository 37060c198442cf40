from __future__ import annotations

from typing import Any

import pytest

from testbed.lb_controller.core.build_inputs import BuildError
from testbed.lb_controller.core.stack import Matcher, TargetGroup
from testbed.lb_controller.gateway.gateway_objects import GatewayObjects
from testbed.lb_controller.gateway.gateway_target_groups import TargetGroups
from tests.lb_controller.gateway.examples import (
    Json,
    configuration,
    gateway,
    gateway_class,
    listener,
    route,
    service,
    target_group_configuration,
)
from tests.lb_controller.gateway.stacks import OPTIONS, built

TLS = {"protocolPort": "TLS:443", "defaultCertificate": "arn:c"}


def group(*objects: Json, kind: str = "HTTPRoute", of: Json | None = None, **settings: Any) -> TargetGroup:
    own = target_group_configuration(defaultConfiguration=settings)
    base = (gateway_class(), configuration(), own, *(objects or (gateway(),)))
    (found,) = built(*base, of or service(), route(kind)).target_groups
    return found


def test_a_target_group_has_the_defaults_of_a_gateway() -> None:
    found = group()
    assert (found.target_type, found.port, found.protocol_version) == ("instance", 30080, "HTTP1")
    check = found.health_check
    assert check.matcher == Matcher(http_code="200-399")
    assert (check.healthy_threshold, check.unhealthy_threshold, check.interval_seconds) == (3, 3, 15)


def test_a_grpc_route_has_a_grpc_target_group_whatever_the_service_says() -> None:
    found = group(kind="GRPCRoute", protocolVersion="HTTP2")
    assert found.protocol_version == "GRPC"
    assert found.health_check.path == "/AWS.ALB/healthcheck"
    assert found.health_check.matcher == Matcher(grpc_code="12")


def test_the_group_that_a_listener_of_http_made_serves_https_too() -> None:
    both = gateway(listener(), listener("http", 80, "HTTP"))
    assert group(protocolVersion="GRPC").protocol_version == "GRPC"
    assert group(both, protocolVersion="GRPC").protocol_version == "HTTP1"
    assert group(of=service(appProtocol="kubernetes.io/h2c")).protocol_version == "HTTP2"


def test_what_a_service_has_for_a_route_wins() -> None:
    own = target_group_configuration(
        defaultConfiguration={"targetType": "ip"},
        routeConfigurations=[
            {"routeIdentifier": {"kind": "HTTPRoute"}, "targetGroupProps": {"protocolVersion": "HTTP2"}},
            {"routeIdentifier": {"kind": "GRPCRoute"}, "targetGroupProps": {"targetType": "instance"}},
        ],
    )
    (found,) = built(gateway_class(), configuration(), gateway(), own, service(), route()).target_groups
    assert (found.target_type, found.port, found.protocol_version) == ("ip", 8080, "HTTP2")


def test_a_cluster_ip_service_has_no_port_for_instances() -> None:
    with pytest.raises(BuildError, match="TargetGroup port is empty"):
        group(of=service(kind="ClusterIP"))
    assert group(of=service(kind="ClusterIP"), targetType="ip").port == 8080


@pytest.mark.parametrize(
    ("kind", "protocol", "mode", "wanted"),
    [
        ("TCPRoute", "TCP", None, "TCP"),
        ("TCPRoute", "TLS", "Terminate", "TCP"),
        ("TLSRoute", "TLS", "Terminate", "TLS"),
        ("TLSRoute", "TLS", "Passthrough", "TCP"),
        ("UDPRoute", "UDP", None, "UDP"),
    ],
)
def test_behind_an_nlb_the_route_and_the_listener_decide_the_protocol(
    kind: str, protocol: str, mode: str | None, wanted: str
) -> None:
    at = listener("l4", 443, protocol, **({"tls": {"mode": mode}} if mode else {}))
    base = (gateway_class("nlb"), configuration(listenerConfigurations=[TLS]), gateway(at), service())
    (found,) = built(*base, route(kind)).target_groups
    assert found.protocol == wanted
    assert found.health_check.protocol == "TCP"
    assert found.protocol_version is None


def test_the_settings_of_a_health_check_are_those_of_the_service() -> None:
    wanted = {"healthCheckPath": "/ok", "healthCheckPort": "8081", "matcher": {"httpCode": "204"}}
    check = group(healthCheckConfig=wanted).health_check
    assert (check.path, check.port, check.matcher) == ("/ok", 8081, Matcher(http_code="204"))


def test_a_group_that_two_rules_name_is_made_once() -> None:
    targets = TargetGroups(gateway(), "application", {}, GatewayObjects(), OPTIONS)
    references = {targets.of(route(), service(), 80, listener()) for _ in range(2)}
    assert len(references) == len(targets.groups) == len(targets.bindings) == 1
