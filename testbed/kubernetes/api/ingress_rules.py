"""What the API server refuses of an Ingress. Source: pkg/apis/networking/validation/validation.go. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from testbed.kubernetes.api.rules import (
    DNS_1035,
    PORT_RANGE,
    SUBDOMAIN,
    WILDCARD,
    Raw,
    invalid,
    is_subdomain,
    is_wildcard,
    required,
    unsupported,
)
from testbed.kubernetes.api.statuses import Cause

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_ENDS = ("/..", "/.")


def problems(item: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    """Everything that is wrong with an Ingress in v1's shape; `old` as it is stored, None for a new one."""
    spec = item.get("spec") or {}
    rules, default = spec.get("rules") or [], spec.get("defaultBackend")
    annotation = (item["metadata"].get("annotations") or {}).get(_CLASS_ANNOTATION)
    if old is None and annotation is not None and spec.get("ingressClassName"):
        why = "can not be set when the class field is also set"
        yield invalid(f"annotations.{_CLASS_ANNOTATION}", annotation, why)
    if not rules and not default:
        why = "either `defaultBackend` or `rules` must be specified"
        yield invalid("spec", Raw("[]networking.IngressRule(nil)"), why)
    if default:
        yield from _backend("spec.defaultBackend", default)
    for index, rule in enumerate(rules):
        where = f"spec.rules[{index}]"
        yield from _host(f"{where}.host", rule.get("host") or "")
        yield from _paths(f"{where}.http.paths", rule.get("http"))
    for number, tls in enumerate(spec.get("tls") or ()):
        for index, host in enumerate(tls.get("hosts") or ()):
            where = f"spec.tls[{number}].hosts[{index}]"
            if "*" in host and not is_wildcard(host):
                yield invalid(where, host, WILDCARD)
            elif "*" not in host and not is_subdomain(host):
                yield invalid(where, host, SUBDOMAIN)
    name = spec.get("ingressClassName")
    if name is not None and not is_subdomain(name):
        yield invalid("spec.ingressClassName", name, SUBDOMAIN)


def _host(where: str, host: str) -> Iterator[Cause]:
    if not host:
        return
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if "*" in host:
            if not is_wildcard(host):
                yield invalid(where, host, WILDCARD)
        elif not is_subdomain(host):
            yield invalid(where, host, SUBDOMAIN)
    else:
        yield invalid(where, host, "must be a DNS name, not an IP address")


def _paths(where: str, http: Mapping[str, Any] | None) -> Iterator[Cause]:
    if http is None:
        return
    if not http.get("paths"):
        yield required(where)
    for index, path in enumerate(http.get("paths") or ()):
        here = f"{where}[{index}]"
        yield from _path(here, path)
        yield from _backend(f"{here}.backend", path.get("backend") or {})


def _path(where: str, path: Mapping[str, Any]) -> Iterator[Cause]:
    kind, text = path.get("pathType"), path.get("path") or ""
    if not kind:
        yield required(f"{where}.pathType", "pathType must be specified")
    elif kind not in _PATH_TYPES:
        yield unsupported(f"{where}.pathType", kind, _PATH_TYPES)
    elif kind == "ImplementationSpecific":
        if text and not text.startswith("/"):
            yield invalid(f"{where}.path", text, "must be an absolute path")
    elif not text.startswith("/"):
        yield invalid(f"{where}.path", text, "must be an absolute path")
    else:
        for sequence in _SEQUENCES:
            if sequence in text:
                yield invalid(f"{where}.path", text, f"must not contain '{sequence}'")
        for end in _ENDS:
            if text.endswith(end):
                yield invalid(f"{where}.path", text, f"cannot end with '{end}'")


def _backend(where: str, backend: Mapping[str, Any]) -> Iterator[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service and resource:
        yield invalid(where, "", "cannot set both resource and service backends")
        return
    if resource:
        return
    if not service:
        yield required(where, "resource or service backend is required")
        return
    name, port = service.get("name") or "", service.get("port") or {}
    if not name:
        yield required(f"{where}.service.name")
    elif not is_subdomain(name) or "." in name or name[0].isdigit():
        yield invalid(f"{where}.service.name", name, DNS_1035)
    if port.get("name") and port.get("number"):
        yield invalid(where, "", "cannot set both port name & port number")
    elif not port.get("name") and not port.get("number"):
        yield required(where, "port name or number is required")
    elif port.get("number") and not 1 <= port["number"] <= 65535:
        yield invalid(f"{where}.service.port.number", port["number"], PORT_RANGE)
