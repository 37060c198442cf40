"""The status that the controllers write into `status.loadBalancer` of Ingresses and Services.

Source: updateIngressStatus and isIngressStatusEqual of the AWS Load Balancer Controller; conformance cases
deploy-drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.dated_releases import Release
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.stack import Stack

Entry = Mapping[str, Any]
"""One item of `status.loadBalancer.ingress`."""


def of_ingress(hostname: str, stack: Stack, release: Release) -> list[dict[str, Any]]:
    """The entry that every member of a group gets; newer releases add the ports of all listeners."""
    entry: dict[str, Any] = {"hostname": hostname.lower()}
    if release.has(Fact.PORTS_IN_INGRESS_STATUS):
        # The real controller leaves the protocol empty.
        entry["ports"] = [{"port": one.port, "protocol": ""} for one in stack.listeners]
    return [entry]


def of_service(hostname: str) -> list[dict[str, Any]]:
    """The entry that a Service gets."""
    return [{"hostname": hostname.lower()}]


def entries(item: Mapping[str, Any]) -> Sequence[Entry]:
    """The entries that an Ingress or Service has now."""
    balancer = (item.get("status") or {}).get("loadBalancer") or {}
    return balancer.get("ingress") or ()


def is_equal(one: Iterable[Entry], other: Iterable[Entry]) -> bool:
    """True if two lists of entries are equal but for the order of entries and ports."""
    return sorted(map(_key, one)) == sorted(map(_key, other))


def _key(entry: Entry) -> tuple[str, str, list[int]]:
    ports = sorted(int(port["port"]) for port in entry.get("ports") or ())
    return entry.get("hostname") or "", entry.get("ip") or "", ports
