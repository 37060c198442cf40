"""Endpoints and EndpointSlices: the pods behind a Service, kept up to date as pods come and go.

Source: kubernetes pkg/controller/endpoint/endpoints_controller.go. A pod counts when it has an IP, is not
finished and not being deleted; it is ready by its `Ready` condition. The Endpoints of a Service without a
selector are written by hand, and are left alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from testbed.kubernetes.api_errors import NotFound
from testbed.kubernetes.endpoint_slices import SERVICE_NAME, slices_of
from testbed.kubernetes.object_store import ObjectStore
from testbed.kubernetes.object_watch import WatchEvent
from testbed.kubernetes.service_view import Service, ServicePort
from testbed.settings import PATIENCE

_FINISHED = ("Succeeded", "Failed")
_Ports = tuple[tuple[str, int, str], ...]


def is_ready(pod: Mapping[str, Any]) -> bool:
    """True if the pod's `Ready` condition is True."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def is_selected(pod: Mapping[str, Any], selector: Mapping[str, str]) -> bool:
    """True if the pod has all labels of a selector; an empty selector selects nothing."""
    labels = pod["metadata"].get("labels") or {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def container_port(pod: Mapping[str, Any], port: ServicePort) -> int | None:
    """Return the port in the pod that a Service port leads to; None if no container port has its name."""
    if isinstance(port.target_port, int):
        return port.target_port
    for container in (pod.get("spec") or {}).get("containers") or ():
        for item in container.get("ports") or ():
            same_protocol = (item.get("protocol") or "TCP") == port.protocol
            if item.get("name") == port.target_port and same_protocol:
                return int(item["containerPort"])
    return None


def endpoints_of(service: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the Endpoints object of a Service with a selector. Pure.

    Args:
        service: the Service as JSON.
        pods: pods as JSON; those of other namespaces are left out.
    """
    view = Service.of(service)
    unready_too = bool((service.get("spec") or {}).get("publishNotReadyAddresses"))
    groups: dict[_Ports, dict[str, list[dict[str, Any]]]] = {}
    for pod in pods:
        if pod["metadata"].get("namespace", "default") != view.namespace or not is_selected(
            pod, view.selector
        ):
            continue
        status = pod.get("status") or {}
        # publishNotReadyAddresses keeps pods in deletion, as the real controller does.
        deleted = pod["metadata"].get("deletionTimestamp") and not unready_too
        if not status.get("podIP") or status.get("phase") in _FINISHED or deleted:
            continue
        ports = tuple(
            (port.name, number, port.protocol)
            for port in view.ports
            if (number := container_port(pod, port)) is not None
        )
        # A named target port that no container has: the pod cannot be reached through this Service.
        if not ports and view.ports:
            continue
        ready = "addresses" if unready_too or is_ready(pod) else "notReadyAddresses"
        groups.setdefault(ports, {}).setdefault(ready, []).append(_address(pod, status["podIP"]))
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": view.name, "namespace": view.namespace},
        "subsets": [_subset(ports, addresses) for ports, addresses in sorted(groups.items())],
    }


def _address(pod: Mapping[str, Any], address: str) -> dict[str, Any]:
    metadata = pod["metadata"]
    namespace = metadata.get("namespace", "default")
    target = {"kind": "Pod", "name": metadata["name"], "namespace": namespace, "uid": metadata.get("uid", "")}
    node = (pod.get("spec") or {}).get("nodeName")
    return {"ip": address, "targetRef": target, **({"nodeName": node} if node else {})}


def _subset(ports: _Ports, addresses: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    ordered = {key: sorted(items, key=lambda item: str(item["ip"])) for key, items in addresses.items()}
    named = [
        {**({"name": name} if name else {}), "port": number, "protocol": protocol}
        for name, number, protocol in ports
    ]
    return {**ordered, "ports": named}


class EndpointsController:
    """Keeps the Endpoints and EndpointSlices of all Services with a selector in a store."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def run(self, stop: threading.Event) -> None:
        """Follow Services and pods until `stop` is set."""
        with self._store.watch(["Pod", "Service"]) as watch:
            while not stop.is_set():
                if event := watch.get(PATIENCE.poll):
                    self.handle(event)

    def handle(self, event: WatchEvent) -> None:
        """Bring up to date the Endpoints that an event may concern."""
        metadata = event.object["metadata"]
        if event.object["kind"] == "Service":
            self._sync(metadata["namespace"], metadata["name"])
            return
        # A pod whose labels changed may have left any Service: the event does not hold its old labels.
        for service in self._store.list("Service", metadata["namespace"]):
            self._sync(metadata["namespace"], service["metadata"]["name"])

    def _sync(self, namespace: str, name: str) -> None:
        service = self._store.get("Service", namespace, name)
        slices: dict[str, Mapping[str, Any]] = {}
        if service is None:
            try:
                self._store.delete("Endpoints", namespace, name)
            except NotFound:
                return  # the Service never had a selector
        elif (service.get("spec") or {}).get("selector"):
            endpoints = endpoints_of(service, self._store.list("Pod", namespace))
            self._store.put(endpoints)
            slices = {item["metadata"]["name"]: item for item in slices_of(endpoints)}
        else:
            return
        for old in self._store.list("EndpointSlice", namespace):
            metadata = old["metadata"]
            if (metadata.get("labels") or {}).get(SERVICE_NAME) == name and metadata["name"] not in slices:
                self._store.delete("EndpointSlice", namespace, metadata["name"])
        for item in slices.values():
            self._store.put(item)
