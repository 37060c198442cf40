"""JSON merge patch (RFC 7386): objects are merged, null removes, anything else replaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merged(target: Any, patch: Any) -> Any:
    """Return `target` with `patch` merged in; neither is changed, and equal parts are shared."""
    if not isinstance(patch, Mapping):
        return patch
    # RFC 7386: a patch that is an object replaces a target that is none.
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
