"""A Service as a value, read from its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes.object_fields import balancer_entries


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service; `node_port` is 0 if it has none."""

    port: int
    target_port: int | str
    name: str = ""
    protocol: str = "TCP"
    node_port: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """The fields of a Service that controllers read; `hostnames` and `addresses` are those of its status."""

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

    def port(self, number_or_name: int | str) -> ServicePort | None:
        """Return the port of a number or name, or None."""
        for port in self.ports:
            if number_or_name == (port.name if isinstance(number_or_name, str) else port.port):
                return port
        return None

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Service:
        """Read the JSON of a Service; defaults are filled in, as in a manifest no API server has done so."""
        metadata = item["metadata"]
        spec = item.get("spec") or {}
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
            hostnames=tuple(entry["hostname"] for entry in balancer_entries(item) if entry.get("hostname")),
            addresses=tuple(entry["ip"] for entry in balancer_entries(item) if entry.get("ip")),
        )


def _port(port: Mapping[str, Any]) -> ServicePort:
    return ServicePort(
        port=port["port"],
        target_port=port.get("targetPort") or port["port"],
        name=port.get("name") or "",
        protocol=port.get("protocol") or "TCP",
        node_port=port.get("nodePort") or 0,
    )
