"""Ports of a Service, and the port of a target group that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testbed.dated_releases import Release
from testbed.kubernetes import object_fields
from testbed.lb_controller.core.build_inputs import BuildError, KubernetesObject
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.stack import TRAFFIC_PORT


def service_port(service: KubernetesObject, port: int | str) -> Mapping[str, Any]:
    """The Service's port with a name, or with a `port` number (never its targetPort).

    Raises:
        BuildError: it has no such port (pkg/k8s/service_utils.go LookupServicePort).
    """
    field = "name" if isinstance(port, str) else "port"
    for candidate in object_fields.spec(service).get("ports") or ():
        if candidate.get(field) == port:
            return dict(candidate)
    raise BuildError(f"unable to find port {port} on service {object_fields.key(service)}")


def target_port(port: Mapping[str, Any]) -> int | str:
    """`targetPort` of a Service port; Kubernetes defaults it to `port`."""
    chosen: int | str = port.get("targetPort") or port["port"]
    return chosen


INSTANCE = "instance"
IP = "ip"
UNKNOWN_PORT = 1
"""The port of a target group whose Service names its targetPort: each target registers its own port."""
_EMPTY_PORT = "TargetGroup port is empty. Are you using the correct service type?"
_EMPTY_NODE_PORT = (
    "TargetGroup port is empty. When using Instance targets, "
    "your service be must of type 'NodePort' or 'LoadBalancer'"
)


def target_group_port(service_port: Mapping[str, Any], target_type: str) -> int:
    """The nodePort for instance targets, else the targetPort: 1 for a named one, 0 if there is none."""
    if target_type == INSTANCE:
        return int(service_port.get("nodePort") or 0)
    port = target_port(service_port)
    return port if isinstance(port, int) else UNKNOWN_PORT


def check_target_group_port(port: int, target_type: str, release: Release) -> None:
    """Refuse a target group without a port: instance targets of a Service without node ports.

    Raises:
        BuildError: from v2.13 on; before, AWS refuses it.
    """
    if port or not release.has(Fact.EMPTY_PORT_REFUSED):
        return
    explains = target_type == INSTANCE and release.has(Fact.EMPTY_PORT_EXPLAINED)
    raise BuildError(_EMPTY_NODE_PORT if explains else _EMPTY_PORT)


def resolve_health_check_port(service: KubernetesObject, found: str, target_type: str) -> int | str:
    """The port of a health check from `traffic-port`, a number, or the name of a port of the Service.

    Raises:
        BuildError: the Service has no such port, or the number of a named port is unknown.
    """
    if found == TRAFFIC_PORT:
        return found
    if found.isdecimal():
        return int(found)
    try:
        named = service_port(service, found)
    except BuildError as error:
        raise BuildError(f"failed to resolve healthCheckPort: {error}") from None
    if target_type == INSTANCE:
        return int(named.get("nodePort") or 0)
    port = target_port(named)
    if isinstance(port, str):
        raise BuildError(
            "cannot use named healthCheckPort for IP TargetType when service's targetPort is a named port"
        )
    return port
