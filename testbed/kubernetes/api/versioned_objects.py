"""Objects on their way between the store's version and the version of a client's request. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from testbed.kubernetes import ingress_versions
from testbed.kubernetes.api.api_resources import Resource
from testbed.kubernetes.api.statuses import bad_request

Object = dict[str, Any]


def outward(resource: Resource, item: Mapping[str, Any]) -> Object:
    """Return a stored object in a version of its resource."""
    shown = {**item, "kind": resource.kind, "apiVersion": resource.api_version}
    if resource.stored_kind in ("Service", "Ingress"):
        shown.setdefault("status", {"loadBalancer": {}})
    if resource.stored_kind == "Ingress" and resource.api_version in ingress_versions.INGRESS_V1BETA1:
        return ingress_versions.to_v1beta1(
            {**shown, "apiVersion": ingress_versions.INGRESS_V1}, resource.api_version
        )
    return shown


def inward(resource: Resource, item: Mapping[str, Any]) -> Object:
    """Return a client's object by the kind of the store.

    Raises:
        Refused: 400, its kind or version is not that of the path.
    """
    version, kind = item.get("apiVersion"), item.get("kind")
    if (kind and kind != resource.kind) or (version and version != resource.api_version):
        group = f"{resource.group}/" if resource.group else ""
        raise bad_request(
            f"the API version in the data ({version}, Kind={kind}) does not match the expected API version "
            f"({group}{resource.version}, Kind={resource.kind})"
        )
    if not isinstance(item.get("metadata", {}), Mapping):
        raise bad_request("metadata must be a mapping")
    return {
        **item,
        "apiVersion": resource.api_version,
        "kind": resource.stored_kind,
        "metadata": dict(item.get("metadata") or {}),
    }


def with_plain_data_encoded(item: Object) -> Object:
    """Move a Secret's `stringData` into its data, as the API server does (pkg/apis/core/v1/conversion.go)."""
    if item["kind"] != "Secret":
        return item
    plain = item.get("stringData") or {}
    coded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
    rest = {key: value for key, value in item.items() if key != "stringData"}
    data = {**(item.get("data") or {}), **coded}
    return {"type": "Opaque", **rest, **({"data": data} if data else {})}
