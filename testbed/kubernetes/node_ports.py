"""Node ports: the pods that kube-proxy on a node reaches by one. Pure, over a store's objects.

With `externalTrafficPolicy: Cluster` every node reaches every ready pod of the Service. With `Local` a node
reaches its own pods only, so that the client's address stays, and drops the connection if it has none.
Source: kubernetes pkg/proxy, "Preserving the client source IP".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from testbed.kubernetes.service_view import Service, ServicePort


class Objects(Protocol):
    """The part of an `ObjectStore` that is read."""

    def list(self, kind: str, namespace: str | None = None) -> Sequence[Mapping[str, Any]]:
        """Return the objects of a kind."""


@dataclass(frozen=True, slots=True)
class PodAddress:
    """A ready pod's address behind a Service port, and the node that it runs on ("" if unknown)."""

    ip: str
    port: int
    node: str


def pods_behind(objects: Objects, node: str, node_port: int) -> tuple[PodAddress, ...]:
    """Return the ready pods that `node_port` of a node reaches, by address; () if nothing listens there.

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
        ports = [port for port in service.ports if port.node_port and port.node_port == node_port]
        # TCP and UDP may share a node port, and balancers connect by TCP here.
        if ports:
            port = min(ports, key=lambda port: port.protocol != "TCP")
            return _reached(service_pods(objects, service, port), service, name)
    return ()


def health_check(objects: Objects, node: str, port: int) -> bool | None:
    """Return the answer of `/healthz` at a `healthCheckNodePort` of a node.

    True if the node has a ready pod of the Service: kube-proxy answers 200 for True and 503 for False. None
    if no Service has that health check port.
    """
    name = node_name(objects, node)
    for item in objects.list("Service"):
        if name is not None and port and (item.get("spec") or {}).get("healthCheckNodePort") == port:
            service = Service.of(item)
            pods = (pod for each in service.ports for pod in service_pods(objects, service, each))
            return any(pod.node == name for pod in pods)
    return None


def service_pods(objects: Objects, service: Service, port: ServicePort) -> tuple[PodAddress, ...]:
    """Return the ready pods behind a port of a Service, from its Endpoints."""
    pods: list[PodAddress] = []
    for item in objects.list("Endpoints", service.namespace):
        if item["metadata"]["name"] != service.name:
            continue
        for subset in item.get("subsets") or ():
            for entry in subset.get("ports") or ():
                same_protocol = (entry.get("protocol") or "TCP") == port.protocol
                if (entry.get("name") or "") == port.name and same_protocol:
                    pods += [
                        PodAddress(address["ip"], entry["port"], address.get("nodeName") or "")
                        for address in subset.get("addresses") or ()
                    ]
    return tuple(sorted(pods, key=lambda pod: (pod.ip, pod.port)))


def node_name(objects: Objects, node: str) -> str | None:
    """Return the name of the node with a name, internal IP or instance id; None if there is none."""
    for item in objects.list("Node"):
        addresses = (item.get("status") or {}).get("addresses") or ()
        # providerID of an EC2 node: aws:///ap-northeast-1a/i-0123456789abcdef0
        instance = ((item.get("spec") or {}).get("providerID") or "").rpartition("/")[2]
        known = {item["metadata"]["name"], instance, *(address["address"] for address in addresses)}
        if node and node in known:
            return str(item["metadata"]["name"])
    return None


# kube-proxy drops what comes to a node without a local pod, so () is right for `Local` there.
def _reached(pods: tuple[PodAddress, ...], service: Service, node: str) -> tuple[PodAddress, ...]:
    return tuple(pod for pod in pods if pod.node == node) if service.local_only else pods
