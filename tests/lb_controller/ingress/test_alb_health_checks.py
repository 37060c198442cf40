from __future__ import annotations

import pytest

from testbed.lb_controller.core.annotations import of_ingress
from testbed.lb_controller.core.build_inputs import BuildError
from testbed.lb_controller.core.service_ports import IP
from testbed.lb_controller.core.stack import GRPC, HTTP1, HealthCheck, Matcher
from testbed.lb_controller.ingress.alb_health_checks import health_check_of
from tests.lb_controller.examples import ingress, service


def checked(version: str, **annotations: str) -> HealthCheck:
    return health_check_of(service(), of_ingress(ingress("a", **annotations)), IP, "HTTP", version)


def test_the_defaults_are_those_of_the_protocol_version() -> None:
    http, grpc = checked(HTTP1), checked(GRPC)

    assert (http.path, http.matcher) == ("/", Matcher(http_code="200"))
    assert (grpc.path, grpc.matcher) == ("/AWS.ALB/healthcheck", Matcher(grpc_code="12"))
    assert (http.port, http.interval_seconds, http.timeout_seconds) == ("traffic-port", 15, 5)
    assert (http.healthy_threshold, http.unhealthy_threshold) == (2, 2)


def test_each_annotation_replaces_its_default() -> None:
    check = checked(
        HTTP1,
        healthcheck_protocol="HTTPS",
        healthcheck_port="9000",
        healthcheck_interval_seconds="7",
        healthy_threshold_count="4",
    )

    assert (check.protocol, check.port, check.interval_seconds) == ("HTTPS", 9000, 7)
    assert (check.healthy_threshold, check.unhealthy_threshold) == (4, 2)


def test_a_number_that_is_none_is_refused_in_the_controllers_words() -> None:
    with pytest.raises(BuildError, match=r"parse int32 annotation, .*/healthy-threshold-count: two"):
        checked(HTTP1, healthy_threshold_count="two")
