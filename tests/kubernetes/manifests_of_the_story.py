"""Objects as the story's manifests have them."""

from __future__ import annotations

from typing import Any


def service(
    name: str = "envoy",
    *,
    annotations: dict[str, str] | None = None,
    port: int = 443,
    kind_of_service: str = "LoadBalancer",
    **spec: Any,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if annotations is not None:
        metadata["annotations"] = annotations
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {
            "type": kind_of_service,
            "selector": {"app": "envoy"},
            "ports": [{"name": "https", "port": port, "targetPort": 8443}],
            **spec,
        },
    }


def ingress(name: str = "rest", *, host: str | None = None, port: int | str = 80) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "http": {"paths": [{"path": "/*", "backend": {"serviceName": "envoy-service", "servicePort": port}}]}
    }
    if host:
        rule["host"] = host
    return {
        "apiVersion": "networking.k8s.io/v1beta1",
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"rules": [rule]},
    }


def pod(
    name: str,
    address: str,
    *,
    ready: bool = True,
    node: str = "node-0",
    labels: dict[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "envoy"} if labels is None else labels},
        "spec": {"nodeName": node, "containers": [{"name": "envoy", "ports": more.pop("ports", [])}]},
        "status": {
            "phase": "Running",
            "podIP": address,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            **more,
        },
    }
