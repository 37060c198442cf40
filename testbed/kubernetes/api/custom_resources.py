"""The status that the API server gives a CustomResourceDefinition. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def established(item: Mapping[str, Any], now: str) -> dict[str, Any]:
    """Return the status of a definition that is served; `now` in RFC 3339."""
    spec = item["spec"]
    names = {"singular": spec["names"]["kind"].lower(), "listKind": f"{spec['names']['kind']}List"}
    stored = [version["name"] for version in spec.get("versions") or () if version.get("storage")]
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
