"""What a node port leads to: the pods that kube-proxy on a node would reach. Pure, over a store's objects.

With `externalTrafficPolicy: Cluster` every node reaches every ready pod of the Service; with `Local` only
the pods on that node, so that the client's address stays, and a node without any drops the connection.
Source: kubernetes pkg/proxy, "Preserving the client source IP".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from testbed.kubernetes.services import Service, ServicePort


class Objects(Protocol):
    """What is read of an `ObjectStore`."""

    def list(self, kind: str, namespace: str | None = None) -> Sequence[Mapping[str, Any]]:
        """The objects of a kind."""


@dataclass(frozen=True, slots=True)
class PodAddress:
    """A ready pod's address behind a Service port, and the node that it runs on ("" if unknown)."""

    ip: str
    port: int
    node: str


def pods_behind(objects: Objects, node: str, node_port: int) -> tuple[PodAddress, ...]:
    """The ready pods that `node_port` of a node reaches, by address; () if nothing listens there.

    Args:
        objects: the store.
        node: the node's internal IP, EC2 instance id or name.
        node_port: the port on the node.
    """
    name = node_name(objects, node)
    if name is None:
        return ()
    for item in objects.list("Service"):
        service = Service.of(item)
        for port in service.ports:
            if port.node_port and port.node_port == node_port:
                return _reached(service_pods(objects, service, port), service, name)
    return ()


def health_check(objects: Objects, node: str, port: int) -> bool | None:
    """What `/healthz` at a `healthCheckNodePort` of a node says: whether a ready pod of its Service is there.

    None if no Service has that health check port; kube-proxy answers 200 for True and 503 for False.
    """
    name = node_name(objects, node)
    for item in objects.list("Service"):
        if name is not None and port and (item.get("spec") or {}).get("healthCheckNodePort") == port:
            service = Service.of(item)
            pods = (pod for one in service.ports for pod in service_pods(objects, service, one))
            return any(pod.node == name for pod in pods)
    return None


def service_pods(objects: Objects, service: Service, port: ServicePort) -> tuple[PodAddress, ...]:
    """The ready pods behind one port of a Service, from its Endpoints."""
    found = []
    for item in objects.list("Endpoints", service.namespace):
        if item["metadata"]["name"] != service.name:
            continue
        for subset in item.get("subsets") or ():
            for one in subset.get("ports") or ():
                if (one.get("name") or "") == port.name and (one.get("protocol") or "TCP") == port.protocol:
                    found += [
                        PodAddress(address["ip"], one["port"], address.get("nodeName") or "")
                        for address in subset.get("addresses") or ()
                    ]
    return tuple(sorted(found, key=lambda pod: (pod.ip, pod.port)))


def node_name(objects: Objects, node: str) -> str | None:
    """The name of the node with that name, internal IP or instance id; None if there is none."""
    for item in objects.list("Node"):
        addresses = (item.get("status") or {}).get("addresses") or ()
        # providerID of an EC2 node: aws:///ap-northeast-1a/i-0123456789abcdef0
        instance = ((item.get("spec") or {}).get("providerID") or "").rpartition("/")[2]
        known = {item["metadata"]["name"], instance, *(one["address"] for one in addresses)}
        if node and node in known:
            return str(item["metadata"]["name"])
    return None


def _reached(pods: tuple[PodAddress, ...], service: Service, node: str) -> tuple[PodAddress, ...]:
    return tuple(pod for pod in pods if pod.node == node) if service.local_only else pods
