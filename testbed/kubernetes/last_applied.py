"""The annotation in which `kubectl apply` keeps a manifest, so that the next apply sees what has left it.

Source: kubectl pkg/util/apply.go. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from testbed.kubernetes.kinds import DEFAULT_NAMESPACE, is_namespaced

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_ESCAPED = str.maketrans({mark: f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"})
"""Characters that Go's JSON encoder escapes without need. They can stand only in strings."""


def with_last_applied(item: Mapping[str, Any], *, namespaced: bool | None = None) -> dict[str, Any]:
    """Return the object that kubectl sends: the manifest with a namespace, and with itself in an annotation.

    Args:
        item: the manifest. If it has the annotation of an earlier apply, that is replaced.
        namespaced: True if objects of this kind live in a namespace; by default, looked up by the kind.
    """
    metadata = dict(item["metadata"])
    annotations = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if key != ANNOTATION
    }
    if is_namespaced(item["kind"]) if namespaced is None else namespaced:
        metadata["namespace"] = metadata.get("namespace") or DEFAULT_NAMESPACE
    manifest = {**item, "metadata": {**metadata, "annotations": annotations}}
    # Sorted and with a newline at the end, as Go's encoder writes it.
    text = orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE).decode()
    kept = {**annotations, ANNOTATION: text.translate(_ESCAPED)}
    return {**item, "metadata": {**metadata, "annotations": kept}}


def last_applied(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the manifest of the last apply, or None if there is none or the annotation cannot be read."""
    text = (item["metadata"].get("annotations") or {}).get(ANNOTATION)
    try:
        manifest = orjson.loads(text) if text else None
    except (ValueError, TypeError):
        return None
    return manifest if isinstance(manifest, Mapping) else None
