"""Client-side apply: the patch that `kubectl apply` computes from three objects.

```
last applied ──┐ fields that the manifest no longer has: deleted
manifest ──────┤
live ──────────┘ fields that the manifest has and the live object lacks, or has with another value: set
```
A field that neither manifest names stays as it is: one that was patched, or that the API server filled in.

Sources: kubectl pkg/cmd/apply/patcher.go; apimachinery pkg/util/strategicpatch/patch.go
(`CreateThreeWayMergePatch`) for Kubernetes' own kinds, pkg/util/jsonmergepatch/patch.go for custom resources.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from testbed.errors import BadInput
from testbed.kubernetes.api.merge_keys import Path, list_rule, retains_keys
from testbed.kubernetes.api.strategic_merge import DELETE_VALUES, DIRECTIVE, ORDER, RETAIN

Patch = dict[str, Any]


def strategic_patch(
    kind: str, last_applied: Mapping[str, Any], manifest: Mapping[str, Any], live: Mapping[str, Any]
) -> Patch:
    """Return the strategic merge patch for a kind of Kubernetes itself; {} if there is nothing to change.

    Args:
        kind: the kind in the store.
        last_applied: the manifest of the last apply, {} if there was none.
        manifest: the new manifest, with the annotation that holds it.
        live: the object as the API serves it.

    Raises:
        BadInput: an entry of a list lacks the field by which its list is merged.
    """
    deletions = _deletions(kind, last_applied, manifest, ())
    return _united(kind, deletions, _changes(kind, live, manifest, ()), ())


def _changes(kind: str, live: Mapping[str, Any], manifest: Mapping[str, Any], path: Path) -> Patch:
    """Return what the manifest adds to the live object or changes in it."""
    patch: Patch = {}
    for key, new in manifest.items():
        here, old = (*path, key), live.get(key)
        if key not in live:
            patch[key] = new
        elif isinstance(old, Mapping) and isinstance(new, Mapping):
            if below := _changes(kind, old, new, here):
                patch[key] = below
        elif isinstance(old, list) and isinstance(new, list) and list_rule(kind, here) is not None:
            patch |= _list_changes(kind, old, new, here)
        elif not _same(old, new):
            patch[key] = new
    return _with_kept_keys(kind, patch, live, manifest, path)


def _list_changes(kind: str, live: Sequence[Any], manifest: Sequence[Any], path: Path) -> Patch:
    field, rule = path[-1], list_rule(kind, path)
    assert rule is not None
    if not live:
        return {field: list(manifest)} if manifest else {}
    if not rule.patch_key:
        added = [value for value in manifest if value not in live]
        order = {ORDER + field: list(manifest)} if list(live) != list(manifest) else {}
        return {**({field: added} if added else {}), **order}
    key = rule.patch_key
    entries = []
    for old, new in _paired(live, manifest, key):
        if new is None:
            continue
        if old is None:
            entries.append(new)
        elif below := _changes(kind, old, new, path):
            entries.append({**below, key: new[key]})
    entries = _in_order(entries, manifest, key)  # the walk by keys has lost the order of the manifest
    is_in_order = [entry[key] for entry in live] == [entry[key] for entry in manifest]
    order = {} if is_in_order and not entries else {ORDER + field: [{key: entry[key]} for entry in manifest]}
    return {**({field: entries} if entries else {}), **order}


def _deletions(kind: str, last: Mapping[str, Any], manifest: Mapping[str, Any], path: Path) -> Patch:
    """Return the patch that deletes what the last manifest had and the new one lacks."""
    patch: Patch = {}
    for key, old in last.items():
        here, new = (*path, key), manifest.get(key)
        if key not in manifest:
            patch[key] = None
        elif isinstance(old, Mapping) and isinstance(new, Mapping):
            if below := _deletions(kind, old, new, here):
                patch[key] = below
        elif isinstance(old, list) and isinstance(new, list) and list_rule(kind, here) is not None:
            patch |= _list_deletions(kind, old, new, here)
    return _with_kept_keys(kind, patch, last, manifest, path)


def _list_deletions(kind: str, last: Sequence[Any], manifest: Sequence[Any], path: Path) -> Patch:
    field, rule = path[-1], list_rule(kind, path)
    assert rule is not None
    if not rule.patch_key:
        gone = [value for value in last if value not in manifest]
        return {DELETE_VALUES + field: gone, ORDER + field: list(manifest)} if gone else {}
    key = rule.patch_key
    changed, gone = [], []
    for old, new in _paired(last, manifest, key):
        if new is None and old is not None:
            gone.append({key: old[key], DIRECTIVE: "delete"})
        elif old is not None and new is not None and (below := _deletions(kind, old, new, path)):
            changed.append({**below, key: new[key]})
    entries = [*_in_order(changed, manifest, key), *gone]
    return {field: entries, ORDER + field: [{key: entry[key]} for entry in manifest]} if entries else {}


def _paired(
    old: Sequence[Any], new: Sequence[Any], key: str
) -> Iterator[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]]:
    """Yield the entries of two lists in pairs of the same key; None stands for an entry that one list lacks.

    Like kubectl, sort both lists by the text of the key and walk them side by side. Two ports with the same
    number and different protocols then meet their counterparts, although their keys are equal.
    """
    for entry in (*old, *new):
        if not isinstance(entry, Mapping) or key not in entry:
            raise BadInput(f"map: {entry} does not contain declared merge key: {key}")
    left = sorted(old, key=lambda entry: str(entry[key]))
    right = sorted(new, key=lambda entry: str(entry[key]))
    while left or right:
        first = str(left[0][key]) if left else None
        second = str(right[0][key]) if right else None
        if first == second:
            yield left.pop(0), right.pop(0)
        elif second is None or (first is not None and first < second):
            yield left.pop(0), None
        else:
            yield None, right.pop(0)


def _in_order(entries: Sequence[Any], manifest: Sequence[Any], key: str) -> list[Any]:
    keys = [entry[key] for entry in manifest]
    return sorted(entries, key=lambda entry: keys.index(entry[key]))


def _with_kept_keys(
    kind: str, patch: Patch, old: Mapping[str, Any], manifest: Mapping[str, Any], path: Path
) -> Patch:
    """Add `$retainKeys` to the patch of a union, in which setting one member must remove the others."""
    if not path or not retains_keys(kind, path):
        return patch
    kept = sorted(key for key, value in manifest.items() if value is not None)
    has_more = any(value is not None and key not in manifest for key, value in old.items())
    return {**patch, RETAIN: kept} if kept and (patch or has_more) else patch


def _united(kind: str, deletions: Mapping[str, Any], changes: Mapping[str, Any], path: Path) -> Patch:
    """Return both patches as one; where both name a field, the change wins."""
    patch = dict(deletions)
    for key, new in changes.items():
        old, rule = patch.get(key), None
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            patch[key] = _united(kind, old, new, (*path, key))
            continue
        if isinstance(old, list) and isinstance(new, list) and not key.startswith("$"):
            rule = list_rule(kind, (*path, key))
        if rule is not None and rule.patch_key:
            patch[key] = _united_lists(kind, old or [], new, (*path, key), rule.patch_key)
        else:
            patch[key] = new
    return patch


def _united_lists(
    kind: str, deletions: Sequence[Any], changes: Sequence[Any], path: Path, key: str
) -> list[Any]:
    rest = list(deletions)
    entries = []
    for new in changes:
        twin = next((old for old in rest if old[key] == new[key] and DIRECTIVE not in old), None)
        if twin is not None:
            rest.remove(twin)
        entries.append(_united(kind, twin, new, path) if twin is not None else new)
    return [*entries, *rest]


def _same(old: Any, new: Any) -> bool:
    # 1, 1.0 and True are equal in Python, and three different values in JSON.
    return old is new or orjson.dumps(old, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        new, option=orjson.OPT_SORT_KEYS
    )


# --- custom resources --------------------------------------------------------------------------------


def merge_patch(
    last_applied: Mapping[str, Any], manifest: Mapping[str, Any], live: Mapping[str, Any]
) -> Patch:
    """Return the JSON merge patch (RFC 7386) for a custom resource; {} if there is nothing to change.

    As in kubectl, a null deletes nothing if the last manifest had it too.
    """
    deletions = _only_nulls(_difference(last_applied, manifest))
    return _merged(deletions, _without_nulls(_difference(live, manifest)))


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Patch:
    """Return the merge patch that turns `old` into `new`."""
    patch: Patch = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            if below := _difference(before, value):
                patch[key] = below
        elif key not in old or not _same(before, value):
            patch[key] = value
    return patch


def _only_nulls(patch: Mapping[str, Any]) -> Patch:
    nulls: Patch = {}
    for key, value in patch.items():
        if value is None:
            nulls[key] = None
        elif isinstance(value, Mapping) and (below := _only_nulls(value)):
            nulls[key] = below
    return nulls


def _without_nulls(patch: Mapping[str, Any]) -> Patch:
    rest: Patch = {}
    for key, value in patch.items():
        if isinstance(value, Mapping) and value:
            if below := _without_nulls(value):
                rest[key] = below
        elif value is not None:
            rest[key] = value
    return rest


def _merged(deletions: Mapping[str, Any], changes: Mapping[str, Any]) -> Patch:
    patch = dict(deletions)
    for key, new in changes.items():
        old = patch.get(key)
        both = isinstance(old, Mapping) and isinstance(new, Mapping)
        patch[key] = _merged(old, new) if both else new  # type: ignore[arg-type]
    return patch
