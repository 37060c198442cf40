"""The part of the Gateway API's CRDs that this API server needs: defaults and the columns of kubectl. Pure.

Source: sigs.k8s.io/gateway-api v1.6, the standard channel. Controllers of the Gateway API update the
conditions that these defaults bring and add none, so a GatewayClass without them is never accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from testbed.kubernetes.kinds import AWS_GATEWAY_GROUP, GATEWAY_GROUP, KINDS

Schema = Mapping[str, Any]

_EPOCH = "1970-01-01T00:00:00Z"


def _fields(**fields: Schema) -> dict[str, Any]:
    return {"properties": fields}


def _items(of: Schema) -> dict[str, Any]:
    return {"items": of}


def _default(value: Any) -> dict[str, Any]:
    return {"default": value}


def _pending(*types: str) -> Schema:
    conditions = [
        {
            "type": one,
            "status": "Unknown",
            "reason": "Pending",
            "message": "Waiting for controller",
            "lastTransitionTime": _EPOCH,
        }
        for one in types
    ]
    return {**_fields(conditions=_default(conditions)), "default": {"conditions": conditions}}


_ALLOWED_ROUTES = {
    **_fields(namespaces={**_fields(**{"from": _default("Same")}), "default": {"from": "Same"}}),
    "default": {"namespaces": {"from": "Same"}},
}
_LISTENERS = _items(_fields(allowedRoutes=_ALLOWED_ROUTES, tls=_fields(mode=_default("Terminate"))))
_PARENT = _fields(group=_default(GATEWAY_GROUP), kind=_default("Gateway"))
_BACKEND = _fields(group=_default(""), kind=_default("Service"), weight=_default(1))
_EXACT = _items(_fields(type=_default("Exact")))
_ANY_PATH = {"type": "PathPrefix", "value": "/"}
_PATH = {**_fields(type=_default("PathPrefix"), value=_default("/")), "default": _ANY_PATH}
_FILTERS = _items(_fields(requestRedirect=_fields(statusCode=_default(302))))


def _route(**rule: Schema) -> Schema:
    rules = _items(_fields(backendRefs=_items(_BACKEND), **rule))
    return _fields(spec=_fields(parentRefs=_items(_PARENT), rules=rules))


_PLAIN_ROUTE = _route()
_SCHEMAS: Mapping[str, Schema] = {
    "GatewayClass": _fields(status=_pending("Accepted")),
    "Gateway": _fields(spec=_fields(listeners=_LISTENERS), status=_pending("Accepted", "Programmed")),
    "ListenerSet": _fields(
        spec=_fields(listeners=_LISTENERS, parentRef=_PARENT), status=_pending("Accepted", "Programmed")
    ),
    "HTTPRoute": _route(
        matches={
            **_items(_fields(path=_PATH, headers=_EXACT, queryParams=_EXACT)),
            "default": [{"path": _ANY_PATH}],
        },
        filters=_FILTERS,
    ),
    "GRPCRoute": _route(matches=_items(_fields(method=_fields(type=_default("Exact")), headers=_EXACT))),
    "TLSRoute": _PLAIN_ROUTE,
    "TCPRoute": _PLAIN_ROUTE,
    "UDPRoute": _PLAIN_ROUTE,
    "TargetGroupConfiguration": _fields(
        spec=_fields(targetReference=_fields(group=_default(""), kind=_default("Service")))
    ),
}


def schema_of(kind: str) -> Schema | None:
    """Return the defaults of a kind as an `openAPIV3Schema`; None for a kind of another API."""
    known = KINDS[kind]
    group = known.versions[0].partition("/")[0]
    return _SCHEMAS.get(kind, {}) if group in (GATEWAY_GROUP, AWS_GATEWAY_GROUP) else None


def _column(name: str, path: str, kind: str = "string") -> dict[str, str]:
    return {"name": name, "type": kind, "jsonPath": path}


_AGE = _column("Age", ".metadata.creationTimestamp", "date")
_HOSTNAMES = (_column("Hostnames", ".spec.hostnames"), _AGE)
COLUMNS: Mapping[str, Sequence[Mapping[str, str]]] = {
    "GatewayClass": (
        _column("Controller", ".spec.controllerName"),
        _column("Accepted", '.status.conditions[?(@.type=="Accepted")].status'),
        _AGE,
    ),
    "Gateway": (
        _column("Class", ".spec.gatewayClassName"),
        _column("Address", ".status.addresses[*].value"),
        _column("Programmed", '.status.conditions[?(@.type=="Programmed")].status'),
        _AGE,
    ),
    "HTTPRoute": _HOSTNAMES,
    "GRPCRoute": _HOSTNAMES,
    "TLSRoute": _HOSTNAMES,
}
"""`additionalPrinterColumns` by kind."""
