"""Tables: the server makes the columns and cells of `kubectl get`, and kubectl only aligns them.

Source: apimachinery meta/v1 Table; apiserver pkg/endpoints/handlers/response.go; columns of custom resources:
apiextensions-apiserver pkg/registry/customresource/tableconvertor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.kubernetes.api.ages import age
from testbed.kubernetes.api.api_resources import Resource
from testbed.kubernetes.api.printer_columns import DEFAULT, NAME, PRINTERS, Column, Printer


def table(
    resource: Resource,
    items: Iterable[Mapping[str, Any]],
    now: float,
    *,
    include: str = "Metadata",
    metadata: Mapping[str, Any] | None = None,
    headers: bool = True,
) -> dict[str, Any]:
    """Return a meta.k8s.io/v1 Table.

    Args:
        resource: the resource of the items.
        items: objects in the resource's version.
        now: production time.
        include: the part of its object that a row holds: `Object`, `Metadata` or `None`.
        metadata: the metadata of the list.
        headers: True to define the columns; of a watch's tables only the first does.
    """
    printer = _printer(resource)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": dict(metadata or {}),
        "columnDefinitions": [_definition(column) for column in printer.columns] if headers else None,
        "rows": [{"cells": _cells(printer, item, now), **_embedded(item, include)} for item in items],
    }


def partial(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of an object, and nothing else of it."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": item["metadata"],
    }


def _embedded(item: Mapping[str, Any], include: str) -> dict[str, Any]:
    if include == "None":
        return {}
    return {"object": dict(item) if include == "Object" else partial(item)}


def _cells(printer: Printer, item: Mapping[str, Any], now: float) -> list[Any]:
    cells = list(printer.cells(item, now))
    return [item["metadata"]["name"], *cells] if printer.columns[0] is NAME else cells


def _definition(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": "",
        "priority": column.priority,
    }


def _printer(resource: Resource) -> Printer:
    if resource.custom_schema is None:
        return PRINTERS.get(resource.stored_kind, DEFAULT)
    if not resource.columns:
        return DEFAULT
    custom = list(resource.columns)

    def cells(item: Mapping[str, Any], now: float) -> Sequence[Any]:
        row = []
        for column in custom:
            value = look_up(item, column.get("jsonPath") or column.get("JSONPath") or "")
            row.append(age(value, now) if column.get("type") == "date" and value else value)
        return row

    shown = [
        Column(entry["name"], entry.get("type", "string"), entry.get("format", ""), entry.get("priority", 0))
        for entry in custom
    ]
    return Printer((NAME, *shown), cells)


_STEP = re.compile(
    r"""\.(?P<name>[\w/\0-]+) | \['(?P<quoted>[^']+)'\] | \[(?P<index>\d+)\] | \[(?P<all>\*)\]
      | \[\?\(@\.(?P<key>[\w.-]+)\s*==\s*["'](?P<value>[^"']*)["']\)\]""",
    re.VERBOSE,
)


def look_up(item: Any, path: str) -> Any:
    """Return what a column's JSON path finds, or None: `.status.conditions[?(@.type=="Ready")].status`."""
    values, rest = [item], path.replace("\\.", "\0")
    while rest:
        step = _STEP.match(rest)
        if not step:
            return None  # the API server leaves a column empty whose path it cannot read
        rest = rest[step.end() :]
        values = [value for node in values for value in _step(node, step)]
    if not values:
        return None
    return values[0] if len(values) == 1 else ",".join(map(str, values))


def _step(node: Any, step: re.Match[str]) -> list[Any]:
    if key := step["name"] or step["quoted"]:
        key = key.replace("\0", ".")
        return [node[key]] if isinstance(node, Mapping) and node.get(key) is not None else []
    if not isinstance(node, list):
        return []
    if step["index"]:
        return node[int(step["index"]) :][:1]
    if step["all"]:
        return node
    return [
        value for value in node if isinstance(value, Mapping) and str(value.get(step["key"])) == step["value"]
    ]
