"""Table output: the server prints the columns of `kubectl get`, and kubectl only lines them up.

Source: apimachinery meta/v1 Table; apiserver pkg/endpoints/handlers/response.go; columns of custom resources:
apiextensions-apiserver pkg/registry/customresource/tableconvertor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.kubernetes.api.ages import age
from testbed.kubernetes.api.columns import DEFAULT, NAME, PRINTERS, Column, Printer
from testbed.kubernetes.api.resources import Resource


def table(
    resource: Resource,
    items: Iterable[Mapping[str, Any]],
    now: float,
    *,
    include: str = "Metadata",
    metadata: Mapping[str, Any] | None = None,
    headers: bool = True,
) -> dict[str, Any]:
    """A meta.k8s.io/v1 Table.

    Args:
        resource: what the items are.
        items: stored objects, as they are read in the resource's version.
        now: production time.
        include: what a row holds of its object: `Object`, `Metadata` or `None`.
        metadata: of the list.
        headers: whether to define the columns; only a watch's first table does.
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
    """Only the metadata of an object."""
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
        found = []
        for column in custom:
            value = look_up(item, column.get("jsonPath") or column.get("JSONPath") or "")
            found.append(age(value, now) if column.get("type") == "date" and value else value)
        return found

    shown = [
        Column(one["name"], one.get("type", "string"), one.get("format", ""), one.get("priority", 0))
        for one in custom
    ]
    return Printer((NAME, *shown), cells)


_STEP = re.compile(
    r"""\.(?P<name>[\w-]+) | \['(?P<quoted>[^']+)'\] | \[(?P<index>\d+)\] | \[(?P<all>\*)\]
      | \[\?\(@\.(?P<key>[\w.-]+)\s*==\s*["'](?P<value>[^"']*)["']\)\]""",
    re.VERBOSE,
)


def look_up(item: Any, path: str) -> Any:
    """What a column's JSON path finds: `.status.conditions[?(@.type=="Ready")].status`; None for nothing."""
    found, rest = [item], path.replace("\\.", "\0")
    while rest:
        step = _STEP.match(rest)
        if not step:
            return None  # a column that cannot be read stays empty, as in the real API
        rest = rest[step.end() :]
        found = [value for one in found for value in _step(one, step)]
    if not found:
        return None
    return found[0] if len(found) == 1 else ",".join(map(str, found))


def _step(one: Any, step: re.Match[str]) -> list[Any]:
    if key := step["name"] or step["quoted"]:
        key = key.replace("\0", ".")
        return [one[key]] if isinstance(one, Mapping) and one.get(key) is not None else []
    if not isinstance(one, list):
        return []
    if step["index"]:
        return one[int(step["index"]) :][:1]
    if step["all"]:
        return one
    return [
        value for value in one if isinstance(value, Mapping) and str(value.get(step["key"])) == step["value"]
    ]
