"""The parameters of a call in the query protocol, in the shape of boto3 (pure).

`Actions.member.1.ForwardConfig.TargetGroups.member.2.Weight=3` is a list in a structure in a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MEMBER = "member"
_NOT_OF_THE_OPERATION = frozenset({"Action", "Version"})


def nested(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters of a form; every value is a text, a list or a dictionary."""
    tree: dict[str, Any] = {}
    for key, value in form.items():
        if key in _NOT_OF_THE_OPERATION:
            continue
        *path, last = key.split(".")
        place = tree
        for part in path:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):  # a text and fields below it: no client sends that
                break
            place = inner
        else:
            place[last] = value
    return {key: _with_lists(value) for key, value in tree.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value.keys() == {_MEMBER} and isinstance(value[_MEMBER], dict):
        items = sorted(value[_MEMBER].items(), key=lambda item: (len(item[0]), item[0]))
        return [_with_lists(item) for _, item in items]
    return {key: _with_lists(item) for key, item in value.items()}
