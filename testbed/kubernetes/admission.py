"""What the API server fills in before it stores an object: defaults of a Service, and what it allocates.

Pure: values in, a new object out; `taken` says which node ports are gone. An allocation outlives updates
that do not name it, as the API server's does (pkg/registry/core/service/strategy.go, `patchAllocatedValues`).
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from typing import Any

from testbed.kubernetes import conversion
from testbed.kubernetes.errors import Invalid
from testbed.kubernetes.kinds import KINDS

NODE_PORTS = range(30000, 32768)
"""`--service-node-port-range` of the API server."""
_ONE_FAMILY = {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster"}
"""What a cluster of IPv4 alone fills in (pkg/registry/core/service/storage/alloc.go, defaults.go)."""
CLUSTER_IP_PREFIX = "10.100"
"""Services of an EKS cluster get 10.100.0.0/16; no packet here goes to them."""


def admit(
    item: Mapping[str, Any],
    old: Mapping[str, Any] | None,
    taken: Collection[int],
    random_source: random.Random,
) -> dict[str, Any]:
    """The object as it is stored: Ingress in v1 shape, Service with defaults and allocations.

    Args:
        item: what is to be stored.
        old: what is stored now.
        taken: the node ports of all Services, its own included.
        random_source: chooses addresses and ports.

    Raises:
        Invalid: a node port that another Service holds, or none is free.
    """
    stored = converted(item)
    if item.get("kind") == "Service" and isinstance(item.get("spec"), Mapping):
        own = node_ports(old or {})
        before = (old or {}).get("spec") or {}
        stored["spec"] = _service(item["spec"], before, _Ports(taken, own, random_source), random_source)
    return stored


def converted(item: Mapping[str, Any]) -> dict[str, Any]:
    """The object in the API version that it is stored as."""
    known = KINDS.get(item["kind"])
    if item["kind"] == "Ingress":
        return conversion.to_v1({"apiVersion": conversion.INGRESS_V1, **item})
    return {"apiVersion": known.versions[0] if known else "v1", **item}


def node_ports(service: Mapping[str, Any]) -> set[int]:
    """All node ports that a Service holds."""
    spec = service.get("spec") or {}
    ports = {port.get("nodePort") for port in spec.get("ports") or ()} | {spec.get("healthCheckNodePort")}
    return {port for port in ports if port}


_ALLOCATED = ("clusterIP", "clusterIPs", *_ONE_FAMILY)


def _service(
    spec: Mapping[str, Any], old: Mapping[str, Any], free: _Ports, random_source: random.Random
) -> dict[str, Any]:
    filled: dict[str, Any] = {"type": "ClusterIP", "sessionAffinity": "None", **spec}
    if filled["type"] == "ExternalName":
        # What was allocated for another type is given back (strategy.go, `dropTypeDependentFields`).
        return {key: value for key, value in filled.items() if value != old.get(key) or key not in _ALLOCATED}
    if not filled.get("clusterIP"):
        filled["clusterIP"] = old.get("clusterIP") or _cluster_ip(random_source)
    filled = {**_ONE_FAMILY, **filled, "clusterIPs": [filled["clusterIP"]]}
    on_nodes = filled["type"] in ("NodePort", "LoadBalancer") and (
        filled.get("allocateLoadBalancerNodePorts", True) or filled["type"] == "NodePort"
    )
    before = {_port_key(port): port.get("nodePort") for port in old.get("ports") or ()}
    ports = []
    for port in spec.get("ports") or ():
        whole = {"protocol": "TCP", **port}
        whole.setdefault("targetPort", port.get("port"))
        allocated = before.get(_port_key(whole))
        if not on_nodes and whole.get("nodePort") == allocated:
            whole.pop("nodePort", None)  # the type has changed: what was allocated is given back
        elif whole.get("nodePort"):
            free.take(whole["nodePort"])
        elif on_nodes:
            whole["nodePort"] = allocated or free.any()
        ports.append(whole)
    if ports:
        filled["ports"] = ports
    _fill_traffic_policy(filled, old, free)
    return filled


def _fill_traffic_policy(filled: dict[str, Any], old: Mapping[str, Any], free: _Ports) -> None:
    if filled["type"] in ("NodePort", "LoadBalancer"):
        filled.setdefault("externalTrafficPolicy", "Cluster")
    elif filled.get("externalTrafficPolicy") == old.get("externalTrafficPolicy"):
        filled.pop("externalTrafficPolicy", None)
    if filled["type"] == "LoadBalancer" and filled["externalTrafficPolicy"] == "Local":
        health = filled.get("healthCheckNodePort") or old.get("healthCheckNodePort")
        filled["healthCheckNodePort"] = health or free.any()
    elif filled.get("healthCheckNodePort") == old.get("healthCheckNodePort"):
        filled.pop("healthCheckNodePort", None)


def _port_key(port: Mapping[str, Any]) -> tuple[Any, str]:
    return port.get("port"), port.get("protocol", "TCP")


def _cluster_ip(random_source: random.Random) -> str:
    return f"{CLUSTER_IP_PREFIX}.{random_source.randrange(1, 255)}.{random_source.randrange(1, 255)}"


class _Ports:
    """The node ports that are free for one Service."""

    def __init__(self, taken: Collection[int], own: Collection[int], random_source: random.Random) -> None:
        self._taken = taken
        self._own = own
        self._now: set[int] = set()
        self._random = random_source

    def take(self, port: int) -> None:
        if port in self._taken and port not in self._own:
            raise Invalid(f"spec.ports: nodePort {port} is already allocated")
        self._now.add(port)

    def any(self) -> int:
        start = self._random.randrange(len(NODE_PORTS))
        for offset in range(len(NODE_PORTS)):
            port = NODE_PORTS[(start + offset) % len(NODE_PORTS)]
            if port not in self._taken and port not in self._now:
                self._now.add(port)
                return port
        raise Invalid("spec.ports: failed to allocate a nodePort: range is full")
