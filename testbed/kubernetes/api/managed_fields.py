"""The fields that a manager owns: sets of paths, written as `managedFields` in the form FieldsV1.

```
{"f:spec": {"f:ports": {"k:{\\"port\\":443,\\"protocol\\":\\"TCP\\"}": {".": {}, "f:targetPort": {}}}}}
```
A path is a tuple of such keys, e.g. `("f:spec", "f:type")`; an entry of a set is `v:"a"`. Only leaves and
the entries of lists are owned, as in structured-merge-diff, whose format this is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from testbed.kubernetes.api import merge_keys

FieldPath = tuple[str, ...]
FieldSet = frozenset[FieldPath]

_NEVER_OWNED = frozenset(
    {
        *(("f:apiVersion",), ("f:kind",), ("f:metadata",)),
        *(
            ("f:metadata", f"f:{name}")
            for name in (
                *("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp"),
                *("managedFields", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"),
            )
        ),
    }
)


def leaves(kind: str, item: Mapping[str, Any]) -> dict[FieldPath, Any]:
    """Return the paths of an object that a manager can own, and their values; None for list entries."""
    return {
        path: value
        for path, value in _map(kind, item, (), ())
        if path not in _NEVER_OWNED and path[:2] not in _NEVER_OWNED
    }


def _map(
    kind: str, item: Mapping[str, Any], path: FieldPath, names: merge_keys.Path
) -> Iterator[tuple[FieldPath, Any]]:
    for key, value in item.items():
        yield from _value(kind, value, (*path, f"f:{key}"), (*names, key))


def _value(kind: str, value: Any, path: FieldPath, names: merge_keys.Path) -> Iterator[tuple[FieldPath, Any]]:
    if isinstance(value, Mapping) and value and not merge_keys.is_atomic_map(kind, names):
        yield from _map(kind, value, path, names)
        return
    rule = merge_keys.list_rule(kind, names) if isinstance(value, list) else None
    if rule is None:
        yield path, value
        return
    for item in value:
        entry = (*path, entry_key(rule, item))
        yield entry, None
        if isinstance(item, Mapping):
            yield from _map(kind, item, entry, names)


def entry_key(rule: merge_keys.ListRule, entry: Any) -> str:
    """Return the name of a list's entry in FieldsV1."""
    if not rule.map_keys:
        return f"v:{json.dumps(entry, separators=(',', ':'))}"
    keys = {
        key: entry.get(key, rule.defaults.get(key))
        for key in sorted(rule.map_keys)
        if key in entry or key in rule.defaults
    }
    return f"k:{json.dumps(keys, separators=(',', ':'))}"


def to_fields(owned: FieldSet) -> dict[str, Any]:
    """Write a set as FieldsV1."""
    root: dict[str, Any] = {}
    for path in sorted(owned):
        node = root
        for key in path:
            node = node.setdefault(key, {})
        # Without the mark, an owned path would look like the mere parent of the owned paths below it.
        if any(other[: len(path)] == path and other != path for other in owned):
            node["."] = {}
    return root


def from_fields(fields: Mapping[str, Any]) -> FieldSet:
    """Read the set of a FieldsV1."""
    return frozenset(_paths(fields, ()))


def _paths(fields: Mapping[str, Any], path: FieldPath) -> Iterator[FieldPath]:
    if not fields and path:
        yield path
    for key, below in fields.items():
        if key == ".":
            yield path
        else:
            yield from _paths(below or {}, (*path, key))


def readable(path: FieldPath) -> str:
    """Return a path as a conflict names it: `.spec.ports[port=443,protocol="TCP"].targetPort`."""
    text = ""
    for key in path:
        kind, _, rest = key.partition(":")
        if kind == "f":
            text += f".{rest}"
        elif kind == "v":
            text += f"[={rest}]"
        else:
            pairs = json.loads(rest).items()
            text += "[" + ",".join(f"{name}={json.dumps(value)}" for name, value in pairs) + "]"
    return text
