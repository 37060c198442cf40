"""What the API server refuses of an Ingress and of an IngressClass. Pure.

Source: pkg/apis/networking/validation/validation.go of Kubernetes 1.33. Rules look at the shape of
networking.k8s.io/v1, into which the API server converts the older versions first; it names v1's fields too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from testbed.kubernetes.ingress_versions import INGRESS_V1BETA1
from testbed.kubernetes.rules import formats
from testbed.kubernetes.rules.problems import (
    Path,
    Problem,
    Raw,
    dotted,
    forbidden,
    invalid,
    required,
    too_long,
    unsupported,
)
from testbed.kubernetes.rules.shapes import PATH_TYPES

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_MOST_CONTROLLER_BYTES = 250
_CLUSTER, _NAMESPACE = "Cluster", "Namespace"
"""The scopes of the parameters of an IngressClass; without one it is the cluster (defaults.go)."""
_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_ENDS = ("/..", "/.")


def problems(item: Mapping[str, Any], old: Mapping[str, Any] | None, sent_as: str = "") -> Iterator[Problem]:
    """Yield everything that is wrong with an Ingress.

    Args:
        item: the Ingress in v1's shape.
        old: as it is stored, None for a new one.
        sent_as: the API version in which the client sent it.
    """
    spec = item.get("spec") or {}
    rules, default = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and default is None:
        why = "either `defaultBackend` or `rules` must be specified"
        yield invalid(("spec",), Raw("[]networking.IngressRule(nil)"), why)
    if default is not None:
        yield from _backend(("spec", "defaultBackend"), default)
    for index, rule in enumerate(rules):
        yield from _host(("spec", "rules", index, "host"), rule.get("host") or "")
        yield from _paths(("spec", "rules", index, "http", "paths"), rule.get("http"))
    for index, tls in enumerate(spec.get("tls") or ()):
        yield from _tls(("spec", "tls", index), tls)
    name = spec.get("ingressClassName")
    for words in formats.subdomain(name) if name is not None else ():
        yield invalid(("spec", "ingressClassName"), name, words)
    annotation = (item["metadata"].get("annotations") or {}).get(_CLASS_ANNOTATION)
    if old is None and annotation is not None and name is not None:
        yield from _two_classes(annotation, name, sent_as)


def class_problems(item: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> Iterator[Problem]:
    """Yield everything that is wrong with an IngressClass; `old` is the stored one, None for a new one."""
    spec, before = item.get("spec") or {}, (old or {}).get("spec") or {}
    controller, path = spec.get("controller") or "", ("spec", "controller")
    if old is not None and controller != before.get("controller"):
        yield invalid(path, controller, "field is immutable")
    if not controller:
        yield required(path)
    elif len(controller.encode()) > _MOST_CONTROLLER_BYTES:
        yield too_long(path, _MOST_CONTROLLER_BYTES)
    for words in formats.domain_prefixed_path(controller) if controller else ():
        yield invalid(path, controller, words)
    if (parameters := spec.get("parameters")) is not None:
        yield from _resource(("spec", "parameters"), parameters)
        yield from _scope(("spec", "parameters"), parameters)


def _scope(path: Path, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    scope, namespace = parameters.get("scope") or _CLUSTER, parameters.get("namespace")
    where = (*path, "namespace")
    if scope not in (_CLUSTER, _NAMESPACE):
        yield unsupported((*path, "scope"), scope, (_CLUSTER, _NAMESPACE))
    elif scope == _CLUSTER and namespace is not None:
        yield forbidden(where, "`parameters.scope` is set to 'Cluster'")
    elif scope == _NAMESPACE and namespace is None:
        yield required(where, "`parameters.scope` is set to 'Namespace'")
    elif namespace is not None:
        yield from (invalid(where, namespace, words) for words in formats.label(namespace))


def _two_classes(annotation: str, name: str, sent_as: str) -> Iterator[Problem]:
    path, alias = ("metadata", "annotations", _CLASS_ANNOTATION), f"annotations.{_CLASS_ANNOTATION}"
    # Equal classes are taken since 1.27 (kubernetes/kubernetes#115447), which serves no v1beta1 any more.
    if sent_as in INGRESS_V1BETA1:
        yield invalid(path, annotation, "can not be set when the class field is also set", alias=alias)
    elif annotation != name:
        yield invalid(path, annotation, "must match `ingressClassName` when both are specified", alias=alias)


def path_in_v1beta1(path: Path) -> Path:
    """Return where a v1beta1 manifest has the field that v1 has at a path."""
    if path[:2] == ("spec", "defaultBackend"):
        path = ("spec", "backend", *path[2:])
    if "service" not in path:
        return path
    start = path.index("service")
    field = "servicePort" if path[start + 1 : start + 2] == ("port",) else "serviceName"
    return (*path[:start], field)


def _host(path: Path, host: str) -> Iterator[Problem]:
    if not host:
        return
    if formats.is_ip_address(host):
        yield invalid(path, host, "must be a DNS name, not an IP address")
    yield from (invalid(path, host, words) for words in _domain(host))


def _domain(host: str) -> Iterator[str]:
    return formats.wildcard(host) if "*" in host else formats.subdomain(host)


def _tls(path: Path, tls: Mapping[str, Any]) -> Iterator[Problem]:
    for index, host in enumerate(tls.get("hosts") or ()):
        yield from (invalid((*path, "hosts", index), host, words) for words in _domain(host))
    name = tls.get("secretName") or ""
    for words in formats.subdomain(name) if name else ():
        yield invalid((*path, "secretName"), name, words)


def _paths(path: Path, http: Mapping[str, Any] | None) -> Iterator[Problem]:
    if http is None:
        return
    if not http.get("paths"):
        yield required(path)
    for index, item in enumerate(http.get("paths") or ()):
        yield from _path((*path, index), item)


def _path(path: Path, item: Mapping[str, Any]) -> Iterator[Problem]:
    kind, text = item.get("pathType"), item.get("path") or ""
    where = (*path, "path")
    if kind is None:
        yield required((*path, "pathType"), "pathType must be specified")
        return
    if kind not in PATH_TYPES:
        yield unsupported((*path, "pathType"), kind, PATH_TYPES)
    # Only ImplementationSpecific may leave the path empty: what that means is the controller's to say.
    elif not text.startswith("/") and (text or kind != "ImplementationSpecific"):
        yield invalid(where, text, "must be an absolute path")
    if kind in ("Exact", "Prefix"):
        for sequence in _SEQUENCES:
            if sequence in text:
                yield invalid(where, text, f"must not contain '{sequence}'")
        for end in _ENDS:
            if text.endswith(end):
                yield invalid(where, text, f"cannot end with '{end}'")
    yield from _backend((*path, "backend"), item.get("backend") or {})


def _backend(path: Path, backend: Mapping[str, Any]) -> Iterator[Problem]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        yield from _resource((*path, "resource"), resource)
    elif service is not None:
        yield from _service(path, service)
    else:
        yield invalid(path, "", "resource or service backend is required")


def _resource(path: Path, resource: Mapping[str, Any]) -> Iterator[Problem]:
    group = resource.get("apiGroup")
    for words in formats.subdomain(group) if group is not None else ():
        yield invalid((*path, "apiGroup"), group, words)
    for field in ("kind", "name"):
        value = resource.get(field) or ""
        if not value:
            yield required((*path, field))
        yield from (invalid((*path, field), value, words) for words in formats.path_segment(value))


def _service(path: Path, service: Mapping[str, Any]) -> Iterator[Problem]:
    name, port = service.get("name") or "", service.get("port") or {}
    if not name:
        yield required((*path, "service", "name"))
    for words in formats.dns_1035(name) if name else ():
        yield invalid((*path, "service", "name"), name, words)
    where = (*path, "service", "port")
    if port.get("name") and port.get("number"):
        yield invalid(where, "", "cannot set both port name & port number", alias=dotted(path))
    elif port.get("name"):
        for words in formats.port_name(port["name"]):
            yield invalid((*where, "name"), port["name"], words)
    elif port.get("number"):
        for words in formats.port_number(port["number"]):
            yield invalid((*where, "number"), port["number"], words)
    else:
        yield required(where, "port name or number is required", alias=dotted(path))
