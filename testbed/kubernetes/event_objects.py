"""Event objects: what a controller reports about an object, as `kubectl describe` lists it. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any


def event_about(
    item: Mapping[str, Any], kind: str, reason: str, message: str, component: str, now: str
) -> dict[str, Any]:
    """Return the first Event of its kind about an object; equal events have the same name.

    Args:
        item: the object that the event is about.
        kind: `Normal` or `Warning`.
        reason: a CamelCase word.
        message: a sentence.
        component: the part that reports it.
        now: the time in RFC 3339.
    """
    metadata = item["metadata"]
    about = {
        "apiVersion": item.get("apiVersion", ""),
        "kind": item["kind"],
        "name": metadata["name"],
        "namespace": metadata.get("namespace", ""),
        "uid": metadata.get("uid", ""),
    }
    # Client-go's recorder aggregates by exactly these fields (tools/record/events_cache.go).
    same = uuid.uuid5(uuid.NAMESPACE_OID, "\0".join((*about.values(), kind, reason, message, component)))
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name']}.{same.hex[:16]}",
            "namespace": metadata.get("namespace") or "default",
        },
        "involvedObject": about,
        "type": kind,
        "reason": reason,
        "message": message,
        "source": {"component": component},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
