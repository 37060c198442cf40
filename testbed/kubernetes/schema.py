"""What a manifest must look like: the fields of the kinds that the testbed acts on, with their types.

Metadata, Service, Ingress and IngressClass are checked field by field, as `kubectl apply` does with its
strict validation; of other kinds only the metadata. Source: the OpenAPI description of Kubernetes 1.19
(v1beta1 Ingress) and 1.33. Pure: yields problems, in the order of the manifest; the loader adds the line.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes.conversion import INGRESS_V1BETA1
from testbed.kubernetes.kinds import is_custom

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and at which field: `path` are keys and list indices from the object's root."""

    path: Path
    what: str
    do: str | None = None


@dataclass(frozen=True, slots=True)
class Struct:
    """An object with known fields, some of them required."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one shape."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Text:
    """A string; `one_of` are the values that are taken, "" in it allows the empty one."""

    one_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number within bounds; `or_name`: a port's name may stand instead."""

    low: int = 0
    high: int = 2**31 - 1
    or_name: bool = False


@dataclass(frozen=True, slots=True)
class Boolean:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A mapping of any keys to strings, as labels and annotations are."""


@dataclass(frozen=True, slots=True)
class Anything:
    """Not looked into."""


Shape = Struct | ListOf | Text | Integer | Boolean | Texts | Anything

_TEXT, _BOOLEAN, _TEXTS, _ANYTHING = Text(), Boolean(), Texts(), Anything()
_PORT = Integer(1, 65535)
_PORT_OR_NAME = Integer(1, 65535, or_name=True)

METADATA = Struct(
    {
        "name": _TEXT,
        "generateName": _TEXT,
        "namespace": _TEXT,
        "labels": _TEXTS,
        "annotations": _TEXTS,
        "finalizers": ListOf(_TEXT),
        "ownerReferences": ListOf(_ANYTHING),
        "uid": _TEXT,
        "resourceVersion": _TEXT,
        "generation": Integer(),
        "creationTimestamp": _ANYTHING,
        "deletionTimestamp": _ANYTHING,
        "deletionGracePeriodSeconds": Integer(),
        "managedFields": _ANYTHING,
        "selfLink": _TEXT,
        "clusterName": _TEXT,
    },
    required=("name",),
)

_SERVICE_PORT = Struct(
    {
        "name": _TEXT,
        "protocol": Text(("TCP", "UDP", "SCTP")),
        "port": _PORT,
        "targetPort": _PORT_OR_NAME,
        "nodePort": Integer(0, 65535),
        "appProtocol": _TEXT,
    },
    required=("port",),
)

_SERVICE_SPEC = Struct(
    {
        "type": Text(("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")),
        "selector": _TEXTS,
        "ports": ListOf(_SERVICE_PORT),
        "clusterIP": _TEXT,
        "clusterIPs": ListOf(_TEXT),
        "externalIPs": ListOf(_TEXT),
        "externalName": _TEXT,
        "externalTrafficPolicy": Text(("Cluster", "Local")),
        "internalTrafficPolicy": Text(("Cluster", "Local")),
        "trafficDistribution": _TEXT,
        "healthCheckNodePort": Integer(0, 65535),
        "loadBalancerClass": _TEXT,
        "loadBalancerIP": _TEXT,
        "loadBalancerSourceRanges": ListOf(_TEXT),
        "allocateLoadBalancerNodePorts": _BOOLEAN,
        "publishNotReadyAddresses": _BOOLEAN,
        "sessionAffinity": Text(("None", "ClientIP")),
        "sessionAffinityConfig": _ANYTHING,
        "ipFamilies": ListOf(_TEXT),
        "ipFamily": _TEXT,
        "ipFamilyPolicy": _TEXT,
        "topologyKeys": ListOf(_TEXT),
    }
)

_RESOURCE = Struct({"apiGroup": _TEXT, "kind": _TEXT, "name": _TEXT}, required=("kind", "name"))
_BACKEND_V1 = Struct(
    {
        "service": Struct(
            {"name": _TEXT, "port": Struct({"name": _TEXT, "number": _PORT})}, required=("name", "port")
        ),
        "resource": _RESOURCE,
    }
)
_BACKEND_V1BETA1 = Struct(
    {"serviceName": _TEXT, "servicePort": _PORT_OR_NAME, "resource": _RESOURCE},
    required=("serviceName", "servicePort"),
)
_TLS = ListOf(Struct({"hosts": ListOf(_TEXT), "secretName": _TEXT}))


def _ingress_spec(default_backend: str, backend: Struct, required: tuple[str, ...]) -> Struct:
    path_types = Text(("Exact", "Prefix", "ImplementationSpecific"))
    path = Struct({"path": _TEXT, "pathType": path_types, "backend": backend}, required=required)
    http = Struct({"paths": ListOf(path)}, required=("paths",))
    rule = Struct({"host": _TEXT, "http": http})
    return Struct({"ingressClassName": _TEXT, default_backend: backend, "rules": ListOf(rule), "tls": _TLS})


INGRESS_V1 = _ingress_spec("defaultBackend", _BACKEND_V1, ("backend", "pathType"))
INGRESS_V1BETA1_SPEC = _ingress_spec("backend", _BACKEND_V1BETA1, ("backend",))
_INGRESS_CLASS = Struct({"controller": _TEXT, "parameters": _ANYTHING})

_RENAMED = {
    "serviceName": "networking.k8s.io/v1 has `service: {name: ..., port: {number: ...}}` instead",
    "servicePort": "networking.k8s.io/v1 has `service: {name: ..., port: {number: ...}}` instead",
    "service": "v1beta1 has `serviceName` and `servicePort` instead",
    "defaultBackend": "v1beta1 has `backend` instead",
}


def problems(item: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything that is wrong with an object of a known kind and version."""
    shapes: dict[str, Shape] = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": METADATA}
    spec = _spec_shape(item)
    if spec is None:
        shapes |= {key: _ANYTHING for key in item if key not in shapes}
        yield from _struct(item, Struct(shapes, required=("metadata",)), ())
    else:
        shapes |= {"spec": spec, "status": _ANYTHING}
        required = ("metadata",) if item["kind"] == "IngressClass" else ("metadata", "spec")
        yield from _struct(item, Struct(shapes, required=required), ())


def rule_problems(item: Mapping[str, Any]) -> Iterator[Problem]:
    """Rules of the API that are more than types; only for an object without `problems`."""
    yield from _names(item)
    if is_custom(item["apiVersion"]):
        return
    if item["kind"] == "Service":
        yield from _service(item["spec"])
    elif item["kind"] == "Ingress":
        yield from _ingress(item)


def _spec_shape(item: Mapping[str, Any]) -> Struct | None:
    if is_custom(item["apiVersion"]):
        return None
    if item["kind"] == "Service":
        return _SERVICE_SPEC
    if item["kind"] == "Ingress":
        return INGRESS_V1BETA1_SPEC if item["apiVersion"] in INGRESS_V1BETA1 else INGRESS_V1
    return _INGRESS_CLASS if item["kind"] == "IngressClass" else None


def _check(value: Any, shape: Shape, path: Path) -> Iterator[Problem]:
    if value is None or isinstance(shape, Anything):
        return  # a null is an absent field, as the API reads it
    if isinstance(shape, Struct):
        if isinstance(value, Mapping):
            yield from _struct(value, shape, path)
        else:
            yield _wrong(path, "a mapping", value)
    elif isinstance(shape, ListOf):
        if not isinstance(value, list):
            yield _wrong(path, "a list", value)
            return
        for index, item in enumerate(value):
            if item is None:
                yield Problem((*path, index), f"{dotted((*path, index))} is empty")
            yield from _check(item, shape.item, (*path, index))
    elif isinstance(shape, Texts):
        if not isinstance(value, Mapping):
            yield _wrong(path, "a mapping of strings", value)
            return
        for key, item in value.items():
            if not isinstance(item, str):
                yield _wrong((*path, key), "a string", item, do="put it in quotes")
    else:
        yield from _scalar(value, shape, path)


def _struct(value: Mapping[str, Any], shape: Struct, path: Path) -> Iterator[Problem]:
    for key in shape.required:
        if value.get(key) is None or value.get(key) == "":
            yield Problem(path, f"{dotted((*path, key))} is missing")
    for key, item in value.items():
        if key in shape.fields:
            yield from _check(item, shape.fields[key], (*path, key))
            continue
        near = difflib.get_close_matches(str(key), shape.fields, 1)
        do = _RENAMED.get(key) or (f"did you mean {near[0]}?" if near else None)
        yield Problem((*path, key), f"unknown field {dotted((*path, key))}", do)


def _scalar(value: Any, shape: Text | Integer | Boolean, path: Path) -> Iterator[Problem]:
    if isinstance(shape, Text):
        if not isinstance(value, str):
            yield _wrong(path, "a string", value, do="put it in quotes")
        elif shape.one_of and value not in shape.one_of:
            yield Problem(path, f"{dotted(path)} is {value!r}", f"use one of {', '.join(shape.one_of)}")
    elif isinstance(shape, Boolean):
        if not isinstance(value, bool):
            yield _wrong(path, "true or false", value)
    elif isinstance(value, str) and shape.or_name and value:
        return
    elif isinstance(value, bool) or not isinstance(value, int):
        yield _wrong(path, "a number or a name" if shape.or_name else "a number", value)
    elif not shape.low <= value <= shape.high:
        yield Problem(path, f"{dotted(path)} is {value}, not within {shape.low}..{shape.high}")


_FOUND = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}


def _wrong(path: Path, wanted: str, value: Any, do: str | None = None) -> Problem:
    found = _FOUND.get(type(value), "a mapping")
    if isinstance(value, bool | int | float | str):
        found += f" ({str(value).lower() if isinstance(value, bool) else value})"
    return Problem(path, f"{dotted(path)} must be {wanted}, not {found}", do)


# --- rules ---------------------------------------------------------------------------------------------

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_RBAC = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


def _names(item: Mapping[str, Any]) -> Iterator[Problem]:
    name, namespace = item["metadata"]["name"], item["metadata"].get("namespace")
    # RBAC names are path segments (`system:node`), the others DNS names (apimachinery validation).
    if item["kind"] not in _RBAC and not (_SUBDOMAIN.fullmatch(name) and len(name) <= 253):
        yield Problem(
            ("metadata", "name"),
            f"metadata.name is {name!r}, not a name that Kubernetes takes",
            "use lower-case letters, digits, '-' and '.'",
        )
    if namespace and not (_LABEL.fullmatch(namespace) and len(namespace) <= 63):
        yield Problem(("metadata", "namespace"), f"metadata.namespace is {namespace!r}, not a DNS label")


def _service(spec: Mapping[str, Any]) -> Iterator[Problem]:
    ports = spec.get("ports") or []
    if spec.get("type") == "ExternalName":
        if not spec.get("externalName"):
            yield Problem(("spec",), "spec.externalName is missing")
        return
    if not ports and spec.get("clusterIP") != "None":
        yield Problem(("spec",), "spec.ports is missing")
    seen: dict[object, int] = {}
    for index, port in enumerate(ports):
        where: Path = ("spec", "ports", index)
        if len(ports) > 1 and not port.get("name"):
            yield Problem(
                where, f"{dotted((*where, 'name'))} is missing", "name every port when there are several"
            )
        for same in (port.get("name"), (port["port"], port.get("protocol", "TCP"))):
            if same and same in seen:
                shown = same if isinstance(same, str) else f"{same[1]} port {same[0]}"
                yield Problem(where, f"{dotted(where)} repeats {shown} of spec.ports[{seen[same]}]")
            seen[same] = index


def _ingress(item: Mapping[str, Any]) -> Iterator[Problem]:
    spec = item["spec"]
    old = item["apiVersion"] in INGRESS_V1BETA1
    default = "backend" if old else "defaultBackend"
    if not spec.get("rules") and not spec.get(default):
        yield Problem(("spec",), f"spec.rules is missing, and there is no spec.{default}")
    if spec.get(default):
        yield from _backend(spec[default], ("spec", default), old)
    for number, rule in enumerate(spec.get("rules") or []):
        where: Path = ("spec", "rules", number)
        if host := rule.get("host"):
            yield from _host(host, (*where, "host"))
        for index, path in enumerate((rule.get("http") or {}).get("paths") or []):
            yield from _path(path, (*where, "http", "paths", index))
            yield from _backend(path["backend"], (*where, "http", "paths", index, "backend"), old)


def _host(host: str, where: Path) -> Iterator[Problem]:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        plain = host.removeprefix("*.")
        if not _SUBDOMAIN.fullmatch(plain):
            yield Problem(where, f"{dotted(where)} is {host!r}, not a DNS name in lower case")
    else:
        yield Problem(where, f"{dotted(where)} is {host}, an IP address", "an Ingress host is a DNS name")


def _path(path: Mapping[str, Any], where: Path) -> Iterator[Problem]:
    kind = path.get("pathType") or "ImplementationSpecific"
    text = path.get("path") or ""
    if (text or kind != "ImplementationSpecific") and not text.startswith("/"):
        yield Problem((*where, "path"), f"{dotted((*where, 'path'))} is {text!r}", "a path begins with /")


def _backend(backend: Mapping[str, Any], where: Path, old: bool) -> Iterator[Problem]:
    if old:
        return
    service, resource = backend.get("service"), backend.get("resource")
    if bool(service) == bool(resource):
        what = "both service and resource" if service else "neither service nor resource"
        yield Problem(where, f"{dotted(where)} has {what}")
    elif service:
        port = service["port"]
        if bool(port.get("name")) == bool(port.get("number")):
            what = "both a name and a number" if port.get("name") else "neither a name nor a number"
            yield Problem((*where, "service", "port"), f"{dotted((*where, 'service', 'port'))} has {what}")


def dotted(path: Path) -> str:
    """A path as Kubernetes prints it: `spec.rules[0].host`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[\w-]+", part):
            text += f".{part}"
        else:
            text += f"[{part}]"
    return text.removeprefix(".")


def shape_of(kind: str, api_version: str) -> Struct:
    """The fields of a kind as far as they are known; of most kinds only the metadata is looked into."""
    spec = _spec_shape({"kind": kind, "apiVersion": api_version})
    fields: dict[str, Shape] = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": METADATA}
    if spec is None:
        fields |= dict.fromkeys(_OPEN_FIELDS, _ANYTHING)
    else:
        fields |= {"spec": spec, "status": _ANYTHING}
    return Struct(fields)


_OPEN_FIELDS = (
    *("spec", "status", "data", "stringData", "binaryData", "immutable", "type", "subsets"),
    *("addressType", "endpoints", "ports", "rules", "roleRef", "subjects", "aggregationRule", "secrets"),
    *("imagePullSecrets", "automountServiceAccountToken", "involvedObject", "reason", "message", "source"),
    *("firstTimestamp", "lastTimestamp", "count", "eventTime", "series", "action", "related"),
    *("reportingComponent", "reportingInstance"),
)
"""Top-level fields of the kinds that are stored untouched."""
