"""Health checks of the target groups of an ALB (pkg/ingress/model_build_target_group.go)."""

from __future__ import annotations

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.lb_controller.core.annotations import Annotations
from testbed.lb_controller.core.build_inputs import BuildError, KubernetesObject
from testbed.lb_controller.core.facts import integer_bits
from testbed.lb_controller.core.service_ports import resolve_health_check_port
from testbed.lb_controller.core.stack import GRPC, HTTP1, HTTP2, TRAFFIC_PORT, HealthCheck, Matcher

_INTERVAL, _TIMEOUT, _HEALTHY, _UNHEALTHY = 15, 5, 2, 2
_PATHS = {HTTP1: "/", HTTP2: "/", GRPC: "/AWS.ALB/healthcheck"}
_HTTP_CODES = "200"
_GRPC_CODES = "12"  # UNIMPLEMENTED: the answer of any gRPC server to an unknown method


def health_check_path(annotations: Annotations, version: str) -> str:
    """`healthcheck-path`, or the default of the protocol version."""
    found = annotations.text("healthcheck-path")
    return _PATHS[version] if found is None else found


def matcher(annotations: Annotations, version: str) -> Matcher:
    """`success-codes`, which are grpc-status codes for a GRPC group, or the default of the version."""
    found = annotations.text("success-codes")
    if version == GRPC:
        return Matcher(grpc_code=_GRPC_CODES if found is None else found)
    return Matcher(http_code=_HTTP_CODES if found is None else found)


def health_check_of(
    service: KubernetesObject,
    annotations: Annotations,
    target_type: str,
    protocol: str,
    version: str,
    release: Release = LB_CONTROLLER_RELEASES.newest,
) -> HealthCheck:
    """The health check of a target group, with the controller's defaults for what no annotation sets.

    Raises:
        BuildError: an annotation is invalid.
    """
    port = _health_check_port(service, annotations, target_type)
    checked_protocol = annotations.text("healthcheck-protocol") or protocol
    if checked_protocol not in ("HTTP", "HTTPS"):
        raise BuildError("healthCheckProtocol must be within [HTTP, HTTPS]")
    numbers = {}
    for suffix, default in (
        ("healthcheck-interval-seconds", _INTERVAL),
        ("healthcheck-timeout-seconds", _TIMEOUT),
        ("healthy-threshold-count", _HEALTHY),
        ("unhealthy-threshold-count", _UNHEALTHY),
    ):
        found = annotations.integer(suffix, bits=integer_bits(release))
        numbers[suffix] = default if found is None else found
    return HealthCheck(
        port=port,
        protocol=checked_protocol,
        path=health_check_path(annotations, version),
        matcher=matcher(annotations, version),
        interval_seconds=numbers["healthcheck-interval-seconds"],
        timeout_seconds=numbers["healthcheck-timeout-seconds"],
        healthy_threshold=numbers["healthy-threshold-count"],
        unhealthy_threshold=numbers["unhealthy-threshold-count"],
    )


def _health_check_port(service: KubernetesObject, annotations: Annotations, target_type: str) -> int | str:
    found = annotations.text("healthcheck-port")
    return resolve_health_check_port(service, found or TRAFFIC_PORT, target_type)
