"""Strategic merge patch: a merge patch that knows the keys of lists, and takes directives.

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

_DIRECTIVE, _RETAIN = "$patch", "$retainKeys"
_DELETE_VALUES, _ORDER = "$deleteFromPrimitiveList/", "$setElementOrder/"


def merged(kind: str, target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """`target` with `patch` merged in; neither is changed.

    Raises:
        Refused: 400, an unknown directive, or an entry of a list without the key that tells it.
    """
    result = _map(kind, target, patch, ())
    return result if result is not None else {}


def _map(
    kind: str, target: Mapping[str, Any] | None, patch: Mapping[str, Any], path: Path
) -> dict[str, Any] | None:
    directive = patch.get(_DIRECTIVE)
    rest = {key: value for key, value in patch.items() if key != _DIRECTIVE}
    if directive == "replace":
        return rest
    if directive == "delete":
        return None if not rest else {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown patch type: {directive}")
    result = dict(target or {})
    if _RETAIN in rest:
        kept = rest.pop(_RETAIN)
        result = {key: value for key, value in result.items() if key in kept}
    orders = {key.removeprefix(_ORDER): value for key, value in rest.items() if key.startswith(_ORDER)}
    for key, value in rest.items():
        if key.startswith(_ORDER):
            continue
        if key.startswith(_DELETE_VALUES):
            field = key.removeprefix(_DELETE_VALUES)
            result[field] = [one for one in result.get(field) or () if one not in value]
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
        return [_plain(one) for one in patch]
    if not rule.patch_key:
        return [*target, *(one for one in patch if one not in target)]
    if any(isinstance(one, Mapping) and one.get(_DIRECTIVE) == "replace" for one in patch):
        return [one for one in patch if not (isinstance(one, Mapping) and _DIRECTIVE in one)]
    result = list(target)
    for one in patch:
        if not isinstance(one, Mapping) or rule.patch_key not in one:
            raise bad_request(f"map: {one} does not contain declared merge key: {rule.patch_key}")
        same = [index for index, old in enumerate(result) if old.get(rule.patch_key) == one[rule.patch_key]]
        if one.get(_DIRECTIVE) == "delete":
            result = [old for index, old in enumerate(result) if index not in same]
        elif same:
            result[same[0]] = _map(kind, result[same[0]], one, path)
        else:
            result.append(_map(kind, None, one, path))
    return result


def _plain(value: Any) -> Any:
    """A value of a list that is replaced: nulls and directives in it mean nothing."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items() if one is not None and key != _DIRECTIVE}
    return value


def _ordered(kind: str, items: list[Any], order: Sequence[Any], path: Path) -> list[Any]:
    """Items that the order names stand as it says; each other one stays behind its neighbour before it."""
    rule = list_rule(kind, path)
    if rule is None:
        return items

    def key(one: Any) -> Any:
        return one.get(rule.patch_key) if isinstance(one, Mapping) and rule.patch_key else one

    wanted = [key(one) for one in order]
    named = iter(sorted((one for one in items if key(one) in wanted), key=lambda one: wanted.index(key(one))))
    return [next(named) if key(one) in wanted else one for one in items]
