"""CustomResourceDefinitions: what the API server says of one, and what it asks of the objects of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from testbed.kubernetes.api.rules import invalid, required
from testbed.kubernetes.api.statuses import Cause


def definition_problems(item: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with a definition (apiextensions validation.go)."""
    spec = item.get("spec") or {}
    names = spec.get("names") or {}
    for field in ("group", "scope"):
        if not spec.get(field):
            yield required(f"spec.{field}")
    for field in ("plural", "kind"):
        if not names.get(field):
            yield required(f"spec.names.{field}")
    if not spec.get("versions") and not spec.get("version"):
        yield required("spec.versions")
    wanted = f"{names.get('plural')}.{spec.get('group')}"
    if names.get("plural") and spec.get("group") and item["metadata"].get("name") != wanted:
        why = 'must be spec.names.plural+"."+spec.group'
        yield invalid("metadata.name", item["metadata"].get("name"), why)


def established(item: Mapping[str, Any], now: str) -> dict[str, Any]:
    """The status of a definition that is served."""
    spec = item["spec"]
    names = {"singular": spec["names"]["kind"].lower(), "listKind": f"{spec['names']['kind']}List"}
    stored = [one["name"] for one in spec.get("versions") or () if one.get("storage")]
    conditions = [
        ("NamesAccepted", "NoConflicts", "no conflicts found"),
        ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ]
    return {
        "conditions": [
            {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}
            for kind, reason, message in conditions
        ],
        "acceptedNames": {**names, **spec["names"]},
        "storedVersions": stored or [spec.get("version", "v1")],
    }
