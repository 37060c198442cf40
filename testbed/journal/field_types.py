"""The types of an event's fields, as its dataclass declares them: a journal may have been edited by hand.

Only fields that are there are looked at; the reader of an event notices one that is missing. Pure.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal

from testbed.journal.events import EVENTS, Access

_MOST = 1e15
"""No time or rate of a run is larger; sums and products of such numbers stay finite."""
_OPEN = frozenset({"outcome"})
"""Fields that may have values of a later version: readers take those for unknown ones."""

Fits = Callable[[Any], bool]


def fit(kind: str, fields: Mapping[str, Any]) -> bool:
    """True if each field of an event has a value of its type. Unknown kinds and fields are not looked at."""
    checks = _checks(kind)
    # A plain loop: a journal has many requests, and all(...) of a generator takes twice the time.
    for name, value in fields.items():  # noqa: SIM110
        if (check := checks.get(name)) and not check(value):
            return False
    return True


@functools.cache
def _checks(kind: str) -> Mapping[str, Fits]:
    event = EVENTS.get(kind)
    if event is None:
        return {}
    hints = {name: hint for name, hint in typing.get_type_hints(event).items() if name != "kind"}
    checks = {name: _is_text if name in _OPEN else _check(hint) for name, hint in hints.items()}
    # Envoy's access log has null where it knows no value.
    return {name: _or_none(check) for name, check in checks.items()} if event is Access else checks


def _check(hint: Any) -> Fits:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return lambda value: isinstance(value, str) and value in arguments
    if origin in (typing.Union, types.UnionType):
        some = [_check(argument) for argument in arguments]
        return lambda value: any(check(value) for check in some)
    if origin in (tuple, list):
        item = _check(arguments[0])
        return lambda value: isinstance(value, list) and all(map(item, value))
    if origin is dict:
        key, below = map(_check, arguments)
        return lambda value: isinstance(value, dict) and all(key(k) and below(v) for k, v in value.items())
    return _PLAIN.get(hint, _is_anything)


def _or_none(check: Fits) -> Fits:
    return lambda value: value is None or check(value)


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and -_MOST < value < _MOST


def _is_boolean(value: Any) -> bool:
    return type(value) is bool


def _is_none(value: Any) -> bool:
    return value is None


def _is_anything(_: Any) -> bool:
    return True


_PLAIN: Mapping[Any, Fits] = {
    str: _is_text,
    int: _is_whole,
    float: _is_number,
    bool: _is_boolean,
    type(None): _is_none,
}
