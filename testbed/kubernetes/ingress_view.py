"""An Ingress as a value, read from its JSON in either API version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes import ingress_versions
from testbed.kubernetes.object_fields import balancer_entries

USE_ANNOTATION = "use-annotation"
"""As a port name: the AWS controller takes the backend from the annotation `actions.<service name>`."""


@dataclass(frozen=True, slots=True)
class Backend:
    """The Service and port (number or name) that a path leads to."""

    service: str
    port: int | str


@dataclass(frozen=True, slots=True)
class IngressPath:
    """A path of a rule; `backend` is None for a resource backend."""

    path: str
    path_type: str
    backend: Backend | None


@dataclass(frozen=True, slots=True)
class IngressRule:
    """The paths of one host; host "" is every host."""

    host: str
    paths: tuple[IngressPath, ...]


@dataclass(frozen=True, slots=True)
class Ingress:
    """The fields of an Ingress that controllers read; `hostnames` and `addresses` are those of its status."""

    namespace: str
    name: str
    uid: str
    annotations: Mapping[str, str]
    labels: Mapping[str, str]
    class_name: str
    default_backend: Backend | None
    rules: tuple[IngressRule, ...]
    tls_hosts: tuple[str, ...]
    hostnames: tuple[str, ...]
    addresses: tuple[str, ...]

    def backends(self) -> Iterator[Backend]:
        """Yield every Service and port that the Ingress leads to, the default backend first."""
        if self.default_backend:
            yield self.default_backend
        for rule in self.rules:
            for path in rule.paths:
                if path.backend:
                    yield path.backend

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Ingress:
        """Read the JSON of an Ingress of networking.k8s.io/v1, v1beta1 or extensions/v1beta1."""
        item = ingress_versions.to_v1(item)
        metadata = item["metadata"]
        spec = item.get("spec") or {}
        return cls(
            namespace=metadata.get("namespace") or "default",
            name=metadata["name"],
            uid=metadata.get("uid", ""),
            annotations=metadata.get("annotations") or {},
            labels=metadata.get("labels") or {},
            class_name=spec.get("ingressClassName") or "",
            default_backend=_backend(spec.get("defaultBackend")),
            rules=tuple(map(_rule, spec.get("rules") or ())),
            tls_hosts=tuple(host for tls in spec.get("tls") or () for host in tls.get("hosts") or ()),
            hostnames=tuple(entry["hostname"] for entry in balancer_entries(item) if entry.get("hostname")),
            addresses=tuple(entry["ip"] for entry in balancer_entries(item) if entry.get("ip")),
        )


def _rule(rule: Mapping[str, Any]) -> IngressRule:
    paths = (rule.get("http") or {}).get("paths") or ()
    return IngressRule(rule.get("host") or "", tuple(map(_path, paths)))


def _path(path: Mapping[str, Any]) -> IngressPath:
    kind = path.get("pathType") or "ImplementationSpecific"
    return IngressPath(path.get("path") or "", kind, _backend(path.get("backend")))


def _backend(backend: Mapping[str, Any] | None) -> Backend | None:
    service = (backend or {}).get("service")
    if not service:
        return None
    port = service.get("port") or {}
    return Backend(service["name"], port.get("name") or port.get("number", 0))
