"""A Service as a value, read from its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service; `node_port` is 0 where it has none."""

    port: int
    target_port: int | str
    name: str = ""
    protocol: str = "TCP"
    node_port: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """What others read of a Service. `hostnames` and `addresses` are those of its status."""

    namespace: str
    name: str
    uid: str
    type: str
    annotations: Mapping[str, str]
    labels: Mapping[str, str]
    selector: Mapping[str, str]
    ports: tuple[ServicePort, ...]
    cluster_ip: str
    local_only: bool
    hostnames: tuple[str, ...]
    addresses: tuple[str, ...]

    def port(self, wanted: int | str) -> ServicePort | None:
        """The port of that number or name, or None."""
        for port in self.ports:
            if wanted == (port.name if isinstance(wanted, str) else port.port):
                return port
        return None

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Service:
        """Read the JSON of a Service of any age: defaults are filled where the API server did not yet."""
        metadata = item["metadata"]
        spec = item.get("spec") or {}
        balancers = ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        return cls(
            namespace=metadata.get("namespace") or "default",
            name=metadata["name"],
            uid=metadata.get("uid", ""),
            type=spec.get("type") or "ClusterIP",
            annotations=metadata.get("annotations") or {},
            labels=metadata.get("labels") or {},
            selector=spec.get("selector") or {},
            ports=tuple(map(_port, spec.get("ports") or ())),
            cluster_ip=spec.get("clusterIP") or "",
            local_only=spec.get("externalTrafficPolicy") == "Local",
            hostnames=tuple(one["hostname"] for one in balancers if one.get("hostname")),
            addresses=tuple(one["ip"] for one in balancers if one.get("ip")),
        )


def _port(port: Mapping[str, Any]) -> ServicePort:
    return ServicePort(
        port=port["port"],
        target_port=port.get("targetPort") or port["port"],
        name=port.get("name") or "",
        protocol=port.get("protocol") or "TCP",
        node_port=port.get("nodePort") or 0,
    )
