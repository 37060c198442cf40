"""The defaults that the schema of a CustomResourceDefinition gives. Pure.

Source: structural defaulting (apiextensions-apiserver, pkg/apiserver/schema/defaulting/algorithm.go). The API
server fills them in wherever it decodes an object, also one that it stored before: so the default of a
`status` is there from the start, although a client cannot create an object with its status. Gateway API lives
by that: its controllers update the condition `Accepted` of each GatewayClass and never add it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def filled(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a value with the defaults of an `openAPIV3Schema`, also inside of what it has."""
    if isinstance(value, Mapping):
        return _filled_mapping(value, schema)
    if isinstance(value, list):
        items = schema.get("items")
        return [filled(item, items) for item in value] if isinstance(items, Mapping) else list(value)
    return value


def _filled_mapping(value: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    fields: Mapping[str, Any] = schema.get("properties") or {}
    whole = dict(value)
    for name, of_field in fields.items():
        # A null is pruned before, where the field cannot be null.
        is_absent = name not in whole or (whole[name] is None and not of_field.get("nullable"))
        if is_absent and "default" in of_field:
            whole[name] = of_field["default"]
    others = schema.get("additionalProperties")
    for name, item in whole.items():
        of_item = fields.get(name, others)
        if isinstance(of_item, Mapping):
            whole[name] = filled(item, of_item)
    return whole
