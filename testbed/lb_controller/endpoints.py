"""The endpoints of a Service, as Kubernetes' endpoints controller computes them from its selector.

Pure; used where the cluster has no Endpoints object of that name. Source: pkg/controller/endpoint of
Kubernetes 1.19 (`syncService`, `FindPort`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from testbed.lb_controller import objects
from testbed.lb_controller.inputs import KubernetesObject

_OVER = ("Succeeded", "Failed")


def endpoints_of(service: KubernetesObject, pods: Iterable[KubernetesObject]) -> dict[str, Any] | None:
    """An Endpoints object of one subset a pod; None for a Service without selector."""
    selector: Mapping[str, str] = objects.spec(service).get("selector") or {}
    if not selector:
        return None
    subsets = [
        subset
        for pod in pods
        if selector.items() <= objects.labels_of(pod).items()
        and (subset := _subset(pod, objects.spec(service).get("ports") or ()))
    ]
    metadata = {"namespace": objects.namespace(service), "name": objects.name(service)}
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": subsets}


def _subset(pod: KubernetesObject, ports: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    status = pod.get("status") or {}
    if not status.get("podIP") or status.get("phase") in _OVER or objects.is_being_deleted(pod):
        return None
    numbers = [
        {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
        for port in ports
        if (number := _number(pod, port)) is not None
    ]
    reference = {"kind": "Pod", "namespace": objects.namespace(pod), "name": objects.name(pod)}
    address = {"ip": status["podIP"], "targetRef": reference}
    is_ready = any(
        one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or ()
    )
    return {"addresses" if is_ready else "notReadyAddresses": [address], "ports": numbers}


def _number(pod: KubernetesObject, port: Mapping[str, Any]) -> int | None:
    """`targetPort` as a number: its own, or that of the container port of this name."""
    wanted = port.get("targetPort", port["port"])
    if isinstance(wanted, int):
        return wanted
    for container in objects.spec(pod).get("containers") or ():
        for one in container.get("ports") or ():
            if one.get("name") == wanted:
                return int(one["containerPort"])
    return None
