"""The types that the API describes: enough for `kubectl explain`, and for kubectl to leave validation to it.

The strategic merge patch is not advertised, so that kubectl computes patches from its own types, which know
every merge key. Source of the documents' form: kube-openapi; of the field types:
`testbed.kubernetes.rules.shapes`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from testbed.kubernetes.api.api_resources import Resource
from testbed.kubernetes.api.discovery import VERSION
from testbed.kubernetes.api.merge_keys import list_rule
from testbed.kubernetes.rules.shapes import Boolean, Integer, ListOf, Shape, Struct, Text, Texts, shape_of

PROTOBUF_V2 = b"\n\x032.0"
"""The smallest OpenAPI v2 document in protobuf, for older kubectl: without definitions it checks nothing."""

_DESCRIPTIONS: Mapping[str, str] = {
    "Service": "A name and an address for a set of pods; of type LoadBalancer, a balancer outside too.",
    "Ingress": "Rules by host and path that lead HTTP requests from outside to Services.",
    "IngressClass": "Which controller serves the Ingresses that name this class.",
    "Pod": "Containers that run together on one node.",
    "Node": "A machine of the cluster.",
    "Endpoints": "The addresses of the pods behind a Service.",
    "EndpointSlice": "A part of the addresses behind a Service.",
    "Namespace": "A scope for names.",
    "Event": "Something that happened to an object.",
    "Lease": "Who holds something, and until when.",
    "ConfigMap": "Configuration as keys and values.",
    "Secret": "Confidential data as keys and values.",
    "TargetGroupBinding": "Binds a Service to a target group of a load balancer.",
}
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force", "pretty")
_INFO = {"title": "Kubernetes", "version": VERSION["gitVersion"]}


def v2(resources: Iterable[Resource]) -> dict[str, Any]:
    """Return the document at `/openapi/v2`."""
    listed = list(resources)
    return {
        "swagger": "2.0",
        "info": _INFO,
        "paths": _paths(listed),
        "definitions": {_name(resource): _schema(resource) for resource in listed},
    }


def v3_index(resources: Iterable[Resource]) -> dict[str, Any]:
    """Return the index at `/openapi/v3`: a URL for each group and version, with a hash for caches."""
    listed = list(resources)
    roots = dict.fromkeys(_root(resource) for resource in listed)
    paths = {}
    for root in roots:
        document = v3(listed, root)
        # In the form of the API server's own: clients only compare it.
        digest = hashlib.sha256(orjson.dumps(document)).hexdigest()[:32].upper()
        paths[root] = {"serverRelativeURL": f"/openapi/v3/{root}?hash={digest}"}
    return {"paths": paths}


def v3(resources: Iterable[Resource], root: str) -> dict[str, Any] | None:
    """Return the document at `/openapi/v3/<root>`, e.g. `apis/networking.k8s.io/v1`, or None."""
    listed = [resource for resource in resources if _root(resource) == root]
    if not listed:
        return None
    schemas = {_name(resource): _schema(resource) for resource in listed}
    return {
        "openapi": "3.0.0",
        "info": _INFO,
        "paths": _paths(listed),
        "components": {"schemas": schemas},
    }


def _root(resource: Resource) -> str:
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"


def _name(resource: Resource) -> str:
    if resource.is_custom or "." in resource.group.removesuffix(".k8s.io"):
        return f"{'.'.join(reversed(resource.group.split('.')))}.{resource.version}.{resource.kind}"
    group = resource.group.removesuffix(".k8s.io") or "core"
    return f"io.k8s.api.{group}.{resource.version}.{resource.kind}"


def _gvk(resource: Resource) -> dict[str, str]:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _paths(resources: Iterable[Resource]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for resource in resources:
        base = f"/{_root(resource)}"
        inside = f"{base}/namespaces/{{namespace}}" if resource.namespaced else base
        collection, item = f"{inside}/{resource.plural}", f"{inside}/{resource.plural}/{{name}}"
        paths[collection] = {verb: _operation(resource, verb) for verb in ("get", "post")}
        paths[item] = {verb: _operation(resource, verb) for verb in ("get", "put", "patch", "delete")}
        if resource.namespaced:
            paths[f"{base}/{resource.plural}"] = {"get": _operation(resource, "get")}
    return paths


def _operation(resource: Resource, verb: str) -> dict[str, Any]:
    return {
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": verb,
        "x-kubernetes-group-version-kind": _gvk(resource),
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for name in _PARAMETERS
        ],
    }


def _schema(resource: Resource) -> dict[str, Any]:
    if resource.custom_schema is not None:
        described = dict(resource.custom_schema)
        own = described.get("properties") or {}
    else:
        described = {"description": _DESCRIPTIONS.get(resource.kind, "")}
        own = {}
    shape = shape_of(resource.kind, resource.api_version)
    known = _of_shape(resource.stored_kind, shape, ())["properties"]
    if resource.custom_schema is not None:
        known = {key: known[key] for key in ("apiVersion", "kind", "metadata")}
    described |= {"type": "object", "properties": {**own, **known}}
    return {**described, "x-kubernetes-group-version-kind": [_gvk(resource)]}


def _of_shape(kind: str, shape: Shape, path: tuple[str, ...]) -> dict[str, Any]:
    match shape:
        case Struct():
            properties = {key: _of_shape(kind, one, (*path, key)) for key, one in shape.fields.items()}
            required = {"required": list(shape.required)} if shape.required and path != ("metadata",) else {}
            return {"type": "object", "properties": properties, **required}
        case ListOf():
            return {"type": "array", "items": _of_shape(kind, shape.item, path), **_list_type(kind, path)}
        case Text():
            allowed = [one for one in shape.one_of if one]
            return {"type": "string", **({"enum": allowed} if allowed else {})}
        case Boolean():
            return {"type": "boolean"}
        case Integer() if shape.or_name:
            return {"x-kubernetes-int-or-string": True, "oneOf": [{"type": "integer"}, {"type": "string"}]}
        case Integer():
            return {"type": "integer", "format": "int32"}
        case Texts():
            return {"type": "object", "additionalProperties": {"type": "string"}}
        case _:
            return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _list_type(kind: str, path: tuple[str, ...]) -> dict[str, Any]:
    rule = list_rule(kind, path)
    if rule is None:
        return {"x-kubernetes-list-type": "atomic"}
    if not rule.map_keys:
        return {"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"}
    return {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": list(rule.map_keys),
        "x-kubernetes-patch-merge-key": rule.patch_key,
        "x-kubernetes-patch-strategy": "merge",
    }
