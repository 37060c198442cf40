"""The functions of an `--fqdn-template`: Go's own that texts need, and those that ExternalDNS adds.

Sources: Go, text/template; external-dns, source/fqdn/fqdn.go. v0.7.x adds `trimPrefix` only.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any


def functions(*, typed: bool) -> Mapping[str, Callable[..., Any]]:
    """The functions that a template may call."""
    return _GO | (_OWN if typed else {"trimPrefix": _OWN["trimPrefix"]})


def _index(value: Any, *keys: Any) -> Any:
    """The element of a map or list; a map without the key gives the empty text."""
    for key in keys:
        value = (value or {}).get(key, "") if isinstance(key, str) else value[key]
    return value


def _equal(one: Any, *others: Any) -> bool:
    return any(one == other for other in others)


def _and(*values: Any) -> Any:
    return functools.reduce(lambda one, other: other if one else one, values)


def _or(*values: Any) -> Any:
    return functools.reduce(lambda one, other: one or other, values)


def _is_version(version: int) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            return ipaddress.ip_address(text).version == version
        except ValueError:
            return False

    return check


_GO: dict[str, Callable[..., Any]] = {
    "index": _index,
    "len": len,
    "eq": _equal,
    "ne": lambda one, other: one != other,
    "lt": lambda one, other: one < other,
    "gt": lambda one, other: one > other,
    "not": lambda value: not value,
    "and": _and,
    "or": _or,
    "print": lambda *values: "".join(map(str, values)),
    "printf": lambda form, *values: form.replace("%v", "%s") % values,
}
_OWN: dict[str, Callable[..., Any]] = {
    "contains": lambda text, part: part in text,
    "trimPrefix": lambda text, prefix: text.removeprefix(prefix),
    "trimSuffix": lambda text, suffix: text.removesuffix(suffix),
    "trim": lambda text: text.strip(),
    "toLower": lambda text: text.lower(),
    "replace": lambda old, new, text: text.replace(old, new),
    "isIPv4": _is_version(4),
    "isIPv6": _is_version(6),
    "hasKey": lambda mapping, key: key in (mapping or {}),
}
