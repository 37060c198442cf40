"""EndpointSlices: the content of Endpoints in the shape that `kubectl describe` and newer controllers read.

Source: kubernetes pkg/controller/endpointslice. One slice holds all endpoints of a Service: its limit of 100
is beyond what a rehearsal runs. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"


def slice_name(service: str) -> str:
    """Return the name of a Service's slice: that of the Service and five letters, as generated names have."""
    return f"{service}-{hashlib.sha256(service.encode()).hexdigest()[:5]}"


def slices_of(endpoints: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the slices of an Endpoints object: one for each set of ports."""
    metadata = endpoints["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace", "default")
    for index, subset in enumerate(endpoints.get("subsets") or [{}]):
        items = [
            _endpoint(address, is_ready)
            for field, is_ready in (("addresses", True), ("notReadyAddresses", False))
            for address in subset.get(field) or ()
        ]
        yield {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": slice_name(name) + (f"-{index}" if index else ""),
                "namespace": namespace,
                "labels": {SERVICE_NAME: name, MANAGED_BY: "endpointslice-controller.k8s.io"},
            },
            "addressType": "IPv4",
            "endpoints": items,
            "ports": [
                {"name": port.get("name", ""), "port": port["port"], "protocol": port.get("protocol", "TCP")}
                for port in subset.get("ports") or ()
            ],
        }


def _endpoint(address: Mapping[str, Any], is_ready: bool) -> dict[str, Any]:
    return {
        "addresses": [address["ip"]],
        "conditions": {"ready": is_ready, "serving": is_ready, "terminating": False},
        **({"nodeName": address["nodeName"]} if address.get("nodeName") else {}),
        **({"targetRef": address["targetRef"]} if address.get("targetRef") else {}),
    }
