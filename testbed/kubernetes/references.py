"""Check that what manifests refer to exists: the Services and ports of an Ingress, the zones of the hosts.

Kubernetes takes such manifests, and the controllers then complain one by one, or not at all. A rehearsal
refuses them before it starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from testbed.errors import BadInput
from testbed.kubernetes.ingress_view import USE_ANNOTATION
from testbed.kubernetes.kinds import namespace_of
from testbed.kubernetes.manifests import Manifest
from testbed.kubernetes.service_view import Service

HOSTNAME_ANNOTATIONS = tuple(
    f"{prefix}/{name}"
    for prefix in ("external-dns.alpha.kubernetes.io", "external-dns.kubernetes.io")
    for name in ("hostname", "internal-hostname")
)
"""The old prefix, and that of external-dns v0.22."""
_ACTIONS = "alb.ingress.kubernetes.io/actions."
_Path = tuple[str | int, ...]


def check_references(
    manifests: Iterable[Manifest], *, zones: Iterable[str], existing: Iterable[Mapping[str, Any]] = ()
) -> None:
    """Check the references of manifests, among themselves and to objects that exist.

    Args:
        manifests: the manifests to apply.
        zones: the names of the hosted zones.
        existing: the objects of the store.

    Raises:
        BadInput: an Ingress names a Service or port that does not exist, or a host or a hostname annotation
            lies outside the hosted zones; with file and line.
    """
    applied = list(manifests)
    services = {
        (service.namespace, service.name): service
        for item in (*existing, *(manifest.object for manifest in applied))
        if item["kind"] == "Service"
        for service in [Service.of(item)]
    }
    names = [zone.lower().rstrip(".") for zone in zones]
    for manifest in applied:
        if manifest.object["kind"] == "Ingress":
            _check_backends(manifest, services)
        if manifest.object["kind"] in ("Ingress", "Service"):
            _check_hosts(manifest, names)


def _check_backends(manifest: Manifest, services: Mapping[tuple[str, str], Service]) -> None:
    namespace = namespace_of("Ingress", manifest.object["metadata"].get("namespace"))
    annotations = manifest.object["metadata"].get("annotations") or {}
    for path, name, port, port_path in _backends(manifest.object):
        if port == USE_ANNOTATION:
            if f"{_ACTIONS}{name}" not in annotations:
                raise BadInput(
                    f"{manifest.title} has no annotation {_ACTIONS}{name}, which port {USE_ANNOTATION} names",
                    where=manifest.line(*path),
                )
            continue
        service = services.get((namespace, name))
        if service is None:
            raise BadInput(
                f"{manifest.title} leads to Service {namespace}/{name}, which does not exist",
                where=manifest.line(*path),
            )
        if service.type != "ExternalName" and service.port(port) is None:
            has = ", ".join(
                f"{each.port} ({each.name})" if each.name else str(each.port) for each in service.ports
            )
            what = f"leads to port {port} of Service {namespace}/{name}, which has {has or 'none'}"
            raise BadInput(f"{manifest.title} {what}", where=manifest.line(*port_path))


def _backends(ingress: Mapping[str, Any]) -> Iterator[tuple[_Path, str, int | str, _Path]]:
    """Yield path of the Service's name, name, port and path of the port, for each backend."""
    spec = ingress["spec"]
    places: list[tuple[_Path, Mapping[str, Any]]] = [
        (("spec", field), spec[field]) for field in ("backend", "defaultBackend") if spec.get(field)
    ]
    for number, rule in enumerate(spec.get("rules") or ()):
        for index, path in enumerate((rule.get("http") or {}).get("paths") or ()):
            places.append((("spec", "rules", number, "http", "paths", index, "backend"), path["backend"]))
    for place, backend in places:
        if "serviceName" in backend:
            name, port = (*place, "serviceName"), (*place, "servicePort")
            yield name, backend["serviceName"], backend["servicePort"], port
        elif service := backend.get("service"):
            name, port = (*place, "service", "name"), (*place, "service", "port")
            yield name, service["name"], service["port"].get("name") or service["port"]["number"], port


def _check_hosts(manifest: Manifest, zones: list[str]) -> None:
    for path, host in _hosts(manifest.object):
        name = host.lower().rstrip(".")
        if "{{" in host or "${" in host or not name:
            continue  # a template, which is filled later
        if not any(name == zone or name.endswith(f".{zone}") for zone in zones):
            shown = ", ".join(zones) or "none"
            raise BadInput(
                f"{manifest.title} has the host {host}, outside the hosted zones ({shown})",
                where=manifest.line(*path),
            )


def _hosts(item: Mapping[str, Any]) -> Iterator[tuple[_Path, str]]:
    annotations = item["metadata"].get("annotations") or {}
    for key in HOSTNAME_ANNOTATIONS:
        for host in annotations.get(key, "").split(","):
            yield ("metadata", "annotations", key), host.strip()
    if item["kind"] == "Ingress":
        for number, rule in enumerate(item["spec"].get("rules") or ()):
            yield ("spec", "rules", number, "host"), rule.get("host") or ""
