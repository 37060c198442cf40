"""An object between the store and a client: read in the version that was asked for, stored in the store's.

Unknown fields, wrong types: source apimachinery pkg/runtime/serializer/json (strict decoding) and the
`fieldValidation` parameter. Pure.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from testbed.kubernetes import conversion
from testbed.kubernetes.api.resources import Resource
from testbed.kubernetes.api.statuses import bad_request

Object = dict[str, Any]


def outward(resource: Resource, item: Mapping[str, Any]) -> Object:
    """A stored object as a version of its resource shows it."""
    shown = {**item, "kind": resource.kind, "apiVersion": resource.api_version}
    if resource.stored_kind in ("Service", "Ingress"):
        shown.setdefault("status", {"loadBalancer": {}})
    if resource.stored_kind == "Ingress" and resource.api_version in conversion.INGRESS_V1BETA1:
        return conversion.to_v1beta1({**shown, "apiVersion": conversion.INGRESS_V1}, resource.api_version)
    return shown


def inward(resource: Resource, item: Mapping[str, Any]) -> Object:
    """A client's object as the store takes it.

    Raises:
        Refused: 400, it is of another kind or version than the path.
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
    """A Secret's `stringData` is written into its data, and never read (pkg/apis/core/v1/conversion.go)."""
    if item["kind"] != "Secret":
        return item
    plain = item.get("stringData") or {}
    coded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
    rest = {key: value for key, value in item.items() if key != "stringData"}
    data = {**(item.get("data") or {}), **coded}
    return {"type": "Opaque", **rest, **({"data": data} if data else {})}


def without_nulls(value: Any) -> Any:
    """Nulls in an object are absent fields, as the API's decoder reads them."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [without_nulls(one) for one in value]
    return value
