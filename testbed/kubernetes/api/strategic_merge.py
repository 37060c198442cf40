"""Strategic merge patch: a merge patch that knows the keys of lists, and understands directives.

```
{"spec": {"ports": [{"port": 443, "targetPort": 1}]}}         merges into the port 443
{"spec": {"ports": [{"$patch": "delete", "port": 443}]}}      takes it away
{"spec": {"ports": [{"$patch": "replace"}, ...]}}             replaces the list
{"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}  takes values away
{"spec": {"$setElementOrder/ports": [{"port": 443}, ...]}}    orders what is merged
{"spec": {"$retainKeys": ["type"], ...}}                      drops the other fields
```
Source: apimachinery pkg/util/strategicpatch/patch.go. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from testbed.kubernetes.api.merge_keys import Path, list_rule
from testbed.kubernetes.api.statuses import bad_request

DIRECTIVE, RETAIN = "$patch", "$retainKeys"
DELETE_VALUES, ORDER = "$deleteFromPrimitiveList/", "$setElementOrder/"
"""The names of the directives in a patch; the last two stand before the name of a list."""


def merged(kind: str, target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return `target` with `patch` merged in; neither is changed.

    Raises:
        Refused: 400, an unknown directive, or an entry of a list without its merge key.
    """
    result = _map(kind, target, patch, ())
    return result if result is not None else {}


def _map(
    kind: str, target: Mapping[str, Any] | None, patch: Mapping[str, Any], path: Path
) -> dict[str, Any] | None:
    directive = patch.get(DIRECTIVE)
    rest = {key: value for key, value in patch.items() if key != DIRECTIVE}
    if directive == "replace":
        return rest
    if directive == "delete":
        return None if not rest else {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown patch type: {directive}")
    result = dict(target or {})
    if RETAIN in rest:
        kept = rest.pop(RETAIN)
        result = {key: value for key, value in result.items() if key in kept}
    orders = {key.removeprefix(ORDER): value for key, value in rest.items() if key.startswith(ORDER)}
    for key, value in rest.items():
        if key.startswith(ORDER):
            continue
        if key.startswith(DELETE_VALUES):
            field = key.removeprefix(DELETE_VALUES)
            result[field] = [item for item in result.get(field) or () if item not in value]
        elif value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            new = _map(kind, _mapping(result.get(key)), value, (*path, key))
            if new is None:
                result.pop(key, None)
            else:
                result[key] = new
        elif isinstance(value, list):
            result[key] = _list(kind, result.get(key) or [], value, (*path, key))
        else:
            result[key] = value
    for field, order in orders.items():
        if isinstance(result.get(field), list):
            result[field] = _ordered(kind, result[field], order, (*path, field))
    return result


def _mapping(value: Any) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None


def _list(kind: str, target: Sequence[Any], patch: Sequence[Any], path: Path) -> list[Any]:
    rule = list_rule(kind, path)
    if rule is None:
        return [_plain(entry) for entry in patch]
    # A set of plain values: a patch only adds, and `$deleteFromPrimitiveList` takes away.
    if not rule.patch_key:
        return [*target, *(entry for entry in patch if entry not in target)]
    if any(isinstance(entry, Mapping) and entry.get(DIRECTIVE) == "replace" for entry in patch):
        return [entry for entry in patch if not (isinstance(entry, Mapping) and DIRECTIVE in entry)]
    result = list(target)
    # Deletions first, as in the API server: the patch may add an entry with a key that it also deletes.
    for entry in sorted(
        patch, key=lambda entry: not isinstance(entry, Mapping) or entry.get(DIRECTIVE) != "delete"
    ):
        if not isinstance(entry, Mapping) or rule.patch_key not in entry:
            raise bad_request(f"map: {entry} does not contain declared merge key: {rule.patch_key}")
        same = [index for index, old in enumerate(result) if old.get(rule.patch_key) == entry[rule.patch_key]]
        if entry.get(DIRECTIVE) == "delete":
            result = [old for index, old in enumerate(result) if index not in same]
        elif same:
            # Only the first: with two ports of one number a patch reaches TCP or UDP by their order, as in
            # the API server.
            result[same[0]] = _map(kind, result[same[0]], entry, path)
        else:
            result.append(_map(kind, None, entry, path))
    return result


def _plain(value: Any) -> Any:
    """Return a value of a list that is replaced, without the nulls and directives in it."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None and key != DIRECTIVE}
    return value


def _ordered(kind: str, items: list[Any], order: Sequence[Any], path: Path) -> list[Any]:
    """Return the items with those that the order names in that order; all others keep their places."""
    rule = list_rule(kind, path)
    if rule is None:
        return items

    def key(item: Any) -> Any:
        return item.get(rule.patch_key) if isinstance(item, Mapping) and rule.patch_key else item

    keys = [key(item) for item in order]
    named = iter(
        sorted((item for item in items if key(item) in keys), key=lambda item: keys.index(key(item)))
    )
    return [next(named) if key(item) in keys else item for item in items]
