"""Convert an Ingress of the story's time (`v1beta1`) to today's (`networking.k8s.io/v1`), and back.

```
v1beta1                              v1
backend: {serviceName, servicePort}  backend: {service: {name, port: {number | name}}}
spec.backend                         spec.defaultBackend
pathType absent                      pathType: ImplementationSpecific
```
Source: kubernetes pkg/apis/networking/v1beta1/conversion.go; pathType default in defaults.go. Pure: the
arguments are never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

INGRESS_V1 = "networking.k8s.io/v1"
INGRESS_V1BETA1 = ("networking.k8s.io/v1beta1", "extensions/v1beta1")


def to_v1(ingress: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Ingress in the shape of networking.k8s.io/v1, from any of its versions."""
    if ingress.get("apiVersion") not in INGRESS_V1BETA1:
        return dict(ingress)
    return _convert(ingress, INGRESS_V1, "backend", "defaultBackend", _backend_to_v1, _path_to_v1)


def to_v1beta1(ingress: Mapping[str, Any], version: str = INGRESS_V1BETA1[0]) -> dict[str, Any]:
    """Return a v1 Ingress in the shape of `networking.k8s.io/v1beta1` or `extensions/v1beta1`."""
    if ingress.get("apiVersion") in INGRESS_V1BETA1:
        return {**ingress, "apiVersion": version}
    return _convert(ingress, version, "defaultBackend", "backend", _backend_to_v1beta1, dict)


_Part = Callable[[Mapping[str, Any]], dict[str, Any]]


def _convert(
    ingress: Mapping[str, Any], version: str, old_default: str, new_default: str, backend: _Part, path: _Part
) -> dict[str, Any]:
    converted = {**ingress, "apiVersion": version}
    if not ingress.get("spec"):
        return converted
    spec = dict(ingress["spec"])
    if old_default in spec:
        spec[new_default] = backend(spec.pop(old_default))
    if spec.get("rules"):
        spec["rules"] = [_rule(rule, backend, path) for rule in spec["rules"]]
    converted["spec"] = spec
    return converted


def _rule(rule: Mapping[str, Any], backend: _Part, path: _Part) -> dict[str, Any]:
    http = rule.get("http")
    if not http or not http.get("paths"):
        return dict(rule)
    paths = [{**path(item), "backend": backend(item.get("backend") or {})} for item in http["paths"]]
    return {**rule, "http": {**http, "paths": paths}}


def _path_to_v1(path: Mapping[str, Any]) -> dict[str, Any]:
    return {**path, "pathType": path.get("pathType") or "ImplementationSpecific"}


def _backend_to_v1(backend: Mapping[str, Any]) -> dict[str, Any]:
    converted = {key: value for key, value in backend.items() if key not in ("serviceName", "servicePort")}
    if "serviceName" in backend or "servicePort" in backend:
        port = backend.get("servicePort")
        field = {"name": port} if isinstance(port, str) else {"number": port}
        service: dict[str, Any] = {"name": backend.get("serviceName", "")}
        if port not in (None, "", 0):
            service["port"] = field
        converted["service"] = service
    return converted


def _backend_to_v1beta1(backend: Mapping[str, Any]) -> dict[str, Any]:
    converted = {key: value for key, value in backend.items() if key != "service"}
    if service := backend.get("service"):
        port = service.get("port") or {}
        converted["serviceName"] = service.get("name", "")
        converted["servicePort"] = port.get("name") or port.get("number", 0)
    return converted
