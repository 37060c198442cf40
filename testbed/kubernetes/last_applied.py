"""What `kubectl apply` writes down of a manifest, so that the next apply knows what is gone from it.

Source: kubectl pkg/util/apply.go. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from testbed.kubernetes.kinds import namespace_of

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def with_last_applied(item: Mapping[str, Any]) -> dict[str, Any]:
    """The object as kubectl sends it: with itself in an annotation."""
    metadata = dict(item["metadata"])
    annotations = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if key != ANNOTATION
    }
    if namespace := namespace_of(item["kind"], metadata.get("namespace")):
        metadata["namespace"] = namespace
    told = {**item, "metadata": {**metadata, "annotations": annotations}}
    text = orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE).decode()
    return {**item, "metadata": {**metadata, "annotations": {**annotations, ANNOTATION: text}}}


def last_applied_metadata(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The metadata of the manifest that was applied last, None if kubectl never applied one."""
    text = (item["metadata"].get("annotations") or {}).get(ANNOTATION)
    try:
        metadata = orjson.loads(text)["metadata"] if text else None
    except (ValueError, KeyError, TypeError):
        return None
    return metadata if isinstance(metadata, Mapping) else None
