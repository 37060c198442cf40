"""Health checks of the target groups of an NLB (pkg/service/model_build_target_group.go)."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.kubernetes import object_fields
from testbed.lb_controller.core import service_ports
from testbed.lb_controller.core.annotations import Annotations, of_service
from testbed.lb_controller.core.build_inputs import BuildError, KubernetesObject
from testbed.lb_controller.core.facts import integer_bits
from testbed.lb_controller.core.service_ports import INSTANCE
from testbed.lb_controller.core.stack import TRAFFIC_PORT, HealthCheck, Matcher


@dataclass(frozen=True, slots=True)
class _HealthDefaults:
    """The defaults of a health check; times in seconds."""

    protocol: str
    port: str
    path: str
    timeout: int
    healthy: int
    unhealthy: int
    interval: int = 10


_DEFAULTS = _HealthDefaults("TCP", TRAFFIC_PORT, "/", 10, 3, 3)


def health_check(
    service: KubernetesObject, kind: str, release: Release = LB_CONTROLLER_RELEASES.newest
) -> HealthCheck:
    """The health check of a target group.

    The default is TCP on the traffic port; for instances with externalTrafficPolicy Local it is HTTP on the
    node's own health port.

    Raises:
        BuildError: an annotation is invalid.
    """
    annotations, defaults = of_service(service), _health_defaults(service, kind)
    bits = integer_bits(release)
    protocol = (annotations.text("aws-load-balancer-healthcheck-protocol") or defaults.protocol).upper()
    if protocol not in ("TCP", "HTTP", "HTTPS"):
        given = annotations.text("aws-load-balancer-healthcheck-protocol")
        raise BuildError(f"unsupported health check protocol {given}")
    is_http = protocol != "TCP"
    codes = annotations.text("aws-load-balancer-healthcheck-success-codes") or "200-399"
    path = annotations.text("aws-load-balancer-healthcheck-path")
    return HealthCheck(
        port=health_check_port(service, kind, defaults.port),
        protocol=protocol,
        path=(defaults.path if path is None else path) if is_http else None,
        matcher=Matcher(http_code=codes) if is_http else None,
        interval_seconds=_number(annotations, "interval", defaults.interval, bits),
        timeout_seconds=_number(annotations, "timeout", defaults.timeout, bits),
        healthy_threshold=_number(annotations, "healthy-threshold", defaults.healthy, bits),
        unhealthy_threshold=_number(annotations, "unhealthy-threshold", defaults.unhealthy, bits),
    )


def health_check_port(service: KubernetesObject, kind: str, default: str) -> int | str:
    """The port of `aws-load-balancer-healthcheck-port`: a number, `traffic-port` or a Service port's name.

    Raises:
        BuildError: the Service has no such port.
    """
    found = of_service(service).text("aws-load-balancer-healthcheck-port") or default
    return service_ports.resolve_health_check_port(service, found, kind)


def _health_defaults(service: KubernetesObject, kind: str) -> _HealthDefaults:
    spec = object_fields.spec(service)
    is_local = spec.get("externalTrafficPolicy") == "Local" and spec.get("type") == "LoadBalancer"
    if kind != INSTANCE or not is_local:
        return _DEFAULTS
    port = str(spec.get("healthCheckNodePort") or 0)
    return _HealthDefaults("HTTP", port, "/healthz", 6, 2, 2)


def _number(annotations: Annotations, name: str, default: int, bits: int) -> int:
    found = annotations.integer(f"aws-load-balancer-healthcheck-{name}", bits=bits)
    return default if found is None else found
