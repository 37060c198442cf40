"""What the API server fills in before it stores an object: defaults of a Service, and what it allocates.

Pure: values in, a new object out; `taken` holds the node ports that are in use. An allocation outlives
updates that do not name it (pkg/registry/core/service/strategy.go, `patchAllocatedValues`), and is given
back when the Service's new type has no use for it (`dropTypeDependentFields`).
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from testbed.kubernetes import ingress_versions
from testbed.kubernetes.api_errors import Invalid
from testbed.kubernetes.kinds import KINDS
from testbed.kubernetes.rules.problems import Path
from testbed.kubernetes.rules.service_rules import NODE_PORTS, taken_node_port

_ONE_FAMILY = {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster"}
"""What a cluster of IPv4 alone fills in (pkg/registry/core/service/storage/alloc.go, defaults.go)."""
CLUSTER_IP_PREFIX = "10.100"
"""Services of an EKS cluster get 10.100.0.0/16; no packet here goes to them."""
_AFFINITY_SECONDS = 10800
_WITHOUT_CLUSTER_IP = ("ExternalName",)
_WITH_NODE_PORTS = ("LoadBalancer", "NodePort")


def admit(
    item: Mapping[str, Any],
    old: Mapping[str, Any] | None,
    taken: Collection[int],
    random_source: random.Random,
) -> dict[str, Any]:
    """Return the object as it is stored: Ingress in v1 shape, Service with defaults and allocations.

    Args:
        item: the object to store.
        old: the object as it is stored now, None if it is new.
        taken: the node ports of all Services, its own included.
        random_source: chooses addresses and ports.

    Raises:
        Invalid: a node port that another Service holds, or none is free.
    """
    stored = released(converted(item), old)
    if stored["kind"] == "Service" and isinstance(stored.get("spec"), Mapping):
        own = node_ports(old or {})
        before = (old or {}).get("spec") or {}
        stored["spec"] = _service(stored["spec"], before, _Ports(taken, own, random_source), random_source)
    return stored


def converted(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object in the API version that it is stored as."""
    known = KINDS.get(item["kind"])
    if item["kind"] == "Ingress":
        return ingress_versions.to_v1({"apiVersion": ingress_versions.INGRESS_V1, **item})
    return {"apiVersion": known.versions[0] if known else "v1", **item}


def released(item: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a Service without what was set for its old type, which the new one has no use for.

    A field that the client changes stays, so that the rules refuse it.
    """
    new, before = item.get("spec"), (old or {}).get("spec")
    if item["kind"] != "Service" or not isinstance(new, Mapping) or not before:
        return dict(item)
    kind, old_kind = new.get("type") or "ClusterIP", before.get("type") or "ClusterIP"
    gone: list[str] = []
    if kind in _WITHOUT_CLUSTER_IP and old_kind not in _WITHOUT_CLUSTER_IP:
        gone += ["clusterIP", "clusterIPs", *_ONE_FAMILY]
    if old_kind == "LoadBalancer" and kind != "LoadBalancer":
        gone += ["allocateLoadBalancerNodePorts", "healthCheckNodePort", "loadBalancerClass"]
    elif _is_local(before) and not _is_local(new):
        gone += ["healthCheckNodePort"]
    if old_kind in _WITH_NODE_PORTS and kind not in _WITH_NODE_PORTS:
        gone += ["externalTrafficPolicy"]
    # A value that differs from the old one was set on purpose; the API server keeps it, and then refuses it.
    spec = {key: value for key, value in new.items() if key not in gone or value != before.get(key)}
    if old_kind in _WITH_NODE_PORTS and kind not in _WITH_NODE_PORTS:
        held = {port.get("nodePort") for port in before.get("ports") or ()}
        ports = [dict(port) for port in new.get("ports") or ()]
        if {port.get("nodePort") for port in ports} <= {*held, None}:
            spec["ports"] = [
                {key: value for key, value in port.items() if key != "nodePort"} for port in ports
            ]
    return {**item, "spec": spec}


def _is_local(spec: Mapping[str, Any]) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def node_ports(service: Mapping[str, Any]) -> set[int]:
    """Return all node ports that a Service holds."""
    spec = service.get("spec") or {}
    ports = {port.get("nodePort") for port in spec.get("ports") or ()} | {spec.get("healthCheckNodePort")}
    return {port for port in ports if port}


def _service(
    spec: Mapping[str, Any], old: Mapping[str, Any], free: _Ports, random_source: random.Random
) -> dict[str, Any]:
    named = {key: value for key, value in spec.items() if value != ""}
    filled: dict[str, Any] = {"type": "ClusterIP", "sessionAffinity": "None", **named}
    _fill_affinity(filled)
    if filled["type"] == "ExternalName":
        return filled
    if not filled.get("clusterIP"):
        filled["clusterIP"] = old.get("clusterIP") or _cluster_ip(random_source)
    filled = {**_ONE_FAMILY, **filled, "clusterIPs": [filled["clusterIP"]]}
    ports = [
        {
            **port,
            "protocol": port.get("protocol") or "TCP",
            "targetPort": port.get("targetPort") or port.get("port"),
        }
        for port in spec.get("ports") or ()
    ]
    if filled["type"] in _WITH_NODE_PORTS:
        ports = _with_node_ports(filled, ports, old, free)
    if ports:
        filled["ports"] = ports
    _fill_policies(filled, old, free)
    return filled


def _fill_affinity(filled: dict[str, Any]) -> None:
    """Fill in or drop the time of the affinity (pkg/apis/core/v1/defaults.go)."""
    if filled["sessionAffinity"] == "None":
        filled.pop("sessionAffinityConfig", None)
    elif not (config := filled.get("sessionAffinityConfig") or {}).get("clientIP", {}).get("timeoutSeconds"):
        client = {**config.get("clientIP", {}), "timeoutSeconds": _AFFINITY_SECONDS}
        filled["sessionAffinityConfig"] = {**config, "clientIP": client}


def _fill_policies(filled: dict[str, Any], old: Mapping[str, Any], free: _Ports) -> None:
    if filled["type"] in _WITH_NODE_PORTS:
        filled.setdefault("externalTrafficPolicy", "Cluster")
    if _is_local(filled):
        health = filled.get("healthCheckNodePort") or old.get("healthCheckNodePort")
        filled["healthCheckNodePort"] = health or free.any()


def _with_node_ports(
    spec: Mapping[str, Any], ports: Sequence[Mapping[str, Any]], old: Mapping[str, Any], free: _Ports
) -> list[dict[str, Any]]:
    """Return the ports with the node ports that they name, that they had, and that are allocated now.

    A port keeps its node port by its name, also under another number (`patchAllocatedValues`). In a new
    Service, ports of one number and several protocols share a node port (`initNodePorts`); an update
    allocates one for each (`updateNodePorts`).
    """
    is_update = old.get("type") in _WITH_NODE_PORTS
    kept = _with_kept_node_ports(ports, old) if is_update else [dict(port) for port in ports]
    for index, port in enumerate(kept):
        if port.get("nodePort"):
            free.take(port["nodePort"], ("spec", "ports", index, "nodePort"))
    # Without allocation the Service keeps the node ports that it has.
    if spec["type"] == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
        return kept
    shared = {} if old else {port.get("port"): port["nodePort"] for port in kept if port.get("nodePort")}
    for port in kept:
        if not port.get("nodePort"):
            port["nodePort"] = shared.get(port.get("port")) or free.any()
            if not old:
                shared[port.get("port")] = port["nodePort"]
    return kept


def _with_kept_node_ports(ports: Sequence[Mapping[str, Any]], old: Mapping[str, Any]) -> list[dict[str, Any]]:
    before = {port.get("name") or "": port.get("nodePort") for port in old.get("ports") or ()}
    # A port that now names the node port of another must get it, and the other one a new one.
    still_named = set(before.values()) & {port.get("nodePort") for port in ports}
    kept = []
    for port in ports:
        number = port.get("nodePort") or before.get(port.get("name") or "")
        is_free = number is not None and (port.get("nodePort") or number not in still_named)
        kept.append({**port, "nodePort": number} if is_free else dict(port))
    return kept


def _cluster_ip(random_source: random.Random) -> str:
    return f"{CLUSTER_IP_PREFIX}.{random_source.randrange(1, 255)}.{random_source.randrange(1, 255)}"


class _Ports:
    """The node ports that are free for one Service."""

    def __init__(self, taken: Collection[int], own: Collection[int], random_source: random.Random) -> None:
        self._taken = taken
        self._own = own
        self._now: set[int] = set()
        self._random = random_source

    def take(self, port: int, path: Path) -> None:
        if port in self._taken and port not in self._own:
            raise Invalid(str(taken_node_port(path, port)))
        self._now.add(port)

    def any(self) -> int:
        # From a random port on: the API server allocates at random too, and a walk finds the last free one.
        start = self._random.randrange(len(NODE_PORTS))
        for offset in range(len(NODE_PORTS)):
            port = NODE_PORTS[(start + offset) % len(NODE_PORTS)]
            if port not in self._taken and port not in self._now:
                self._now.add(port)
                return port
        raise Invalid("spec.ports: failed to allocate a nodePort: range is full")
