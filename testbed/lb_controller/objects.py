"""Reading Kubernetes objects that are plain JSON: metadata, and the ports of a Service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from testbed.lb_controller.inputs import BuildError, KubernetesObject


def metadata(item: KubernetesObject) -> Mapping[str, Any]:
    """Its metadata, {} where there are none."""
    return item.get("metadata") or {}


def spec(item: KubernetesObject | None) -> Mapping[str, Any]:
    """Its spec, {} where there is none."""
    return (item or {}).get("spec") or {}


def namespace(item: KubernetesObject) -> str:
    """Its namespace, "" for cluster-wide objects."""
    return str(metadata(item).get("namespace") or "")


def name(item: KubernetesObject) -> str:
    """Its name."""
    return str(metadata(item).get("name") or "")


def key(item: KubernetesObject) -> str:
    """`namespace/name`, as the controller prints objects."""
    return f"{namespace(item)}/{name(item)}"


def uid(item: KubernetesObject) -> str:
    """Its UID."""
    return str(metadata(item).get("uid") or "")


def annotations_of(item: KubernetesObject) -> Mapping[str, str]:
    """Its annotations."""
    return metadata(item).get("annotations") or {}


def labels_of(item: KubernetesObject) -> Mapping[str, str]:
    """Its labels."""
    return metadata(item).get("labels") or {}


def finalizers(item: KubernetesObject) -> Sequence[str]:
    """Its finalizers."""
    return metadata(item).get("finalizers") or ()


def is_being_deleted(item: KubernetesObject) -> bool:
    """Whether it was deleted and waits for its finalizers."""
    return bool(metadata(item).get("deletionTimestamp"))


def service_port(service: KubernetesObject, port: int | str) -> Mapping[str, Any]:
    """The Service's port of that name, or with that `port` number (never its targetPort).

    Raises:
        BuildError: it has none (pkg/k8s/service_utils.go LookupServicePort).
    """
    field = "name" if isinstance(port, str) else "port"
    for candidate in spec(service).get("ports") or ():
        if candidate.get(field) == port:
            return dict(candidate)
    raise BuildError(f"unable to find port {port} on service {key(service)}")


def target_port(port: Mapping[str, Any]) -> int | str:
    """`targetPort` of a Service port; Kubernetes defaults it to `port`."""
    chosen: int | str = port.get("targetPort") or port["port"]
    return chosen
