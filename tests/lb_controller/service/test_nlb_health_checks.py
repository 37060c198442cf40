from __future__ import annotations

import pytest

from testbed.lb_controller.core.build_inputs import BuildError
from testbed.lb_controller.core.service_ports import INSTANCE, IP
from testbed.lb_controller.core.stack import Matcher
from testbed.lb_controller.service.nlb_health_checks import health_check, health_check_port
from tests.lb_controller.examples import service

LOCAL = {"externalTrafficPolicy": "Local", "healthCheckNodePort": 32000}


def test_a_check_is_a_tcp_connection_to_the_traffic_port_by_default() -> None:
    check = health_check(service(kind="LoadBalancer"), IP)

    assert (check.protocol, check.port, check.path, check.matcher) == ("TCP", "traffic-port", None, None)
    assert (check.interval_seconds, check.timeout_seconds, check.healthy_threshold) == (10, 10, 3)


@pytest.mark.parametrize(("kind", "port"), [(INSTANCE, 32000), (IP, "traffic-port")])
def test_local_traffic_is_checked_at_the_nodes_own_port_for_instances(kind: str, port: int | str) -> None:
    item = service(kind="LoadBalancer", spec=LOCAL)

    assert health_check(item, kind).port == port


def test_an_http_check_has_a_path_and_codes() -> None:
    check = health_check(service(kind="LoadBalancer", healthcheck_protocol="http"), IP)

    assert (check.protocol, check.path, check.matcher) == ("HTTP", "/", Matcher(http_code="200-399"))


def test_a_port_that_the_service_does_not_have_is_refused() -> None:
    item = service(kind="LoadBalancer", healthcheck_port="metrics")

    with pytest.raises(BuildError, match="failed to resolve healthCheckPort: unable to find port metrics"):
        health_check_port(item, IP, "traffic-port")
