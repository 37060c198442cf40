"""What the controllers write into `status.loadBalancer` of Ingresses and Services.

Source: updateIngressStatus and isIngressStatusEqual of the AWS Load Balancer Controller; conformance cases
deploy-drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.lb_controller.inputs import Version
from testbed.lb_controller.stack import Stack

Entry = Mapping[str, Any]
"""One item of `status.loadBalancer.ingress`."""


def of_ingress(hostname: str, stack: Stack, version: Version) -> list[dict[str, Any]]:
    """The entry of every member of a group; today's controller adds the ports of all listeners."""
    entry: dict[str, Any] = {"hostname": hostname.lower()}
    if version is not Version.V2_1:
        entry["ports"] = [{"port": one.port, "protocol": "TCP"} for one in stack.listeners]
    return [entry]


def of_service(hostname: str) -> list[dict[str, Any]]:
    """The entry of a Service."""
    return [{"hostname": hostname.lower()}]


def entries(item: Mapping[str, Any]) -> Sequence[Entry]:
    """The entries that an Ingress or Service has now."""
    balancer = (item.get("status") or {}).get("loadBalancer") or {}
    return balancer.get("ingress") or ()


def is_equal(one: Iterable[Entry], other: Iterable[Entry]) -> bool:
    """Whether two lists of entries say the same, in whatever order of entries and ports."""
    return sorted(map(_key, one)) == sorted(map(_key, other))


def _key(entry: Entry) -> tuple[str, str, list[int]]:
    ports = sorted(int(port["port"]) for port in entry.get("ports") or ())
    return entry.get("hostname") or "", entry.get("ip") or "", ports
