"""The functions of an `--fqdn-template`: those of Go that texts need, and those that ExternalDNS adds.

Sources: Go, text/template; external-dns, source/fqdn/fqdn.go. Older ones add `trimPrefix` only.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from testbed.dated_releases import Release
from testbed.external_dns.core.facts import Fact


def functions(release: Release) -> Mapping[str, Callable[..., Any]]:
    """Return the functions that a template may call, by name."""
    own = {name: call for name, (call, since) in _OWN.items() if since is None or release.has(since)}
    return _GO | own


def _index(value: Any, *keys: Any) -> Any:
    """Return an element of a map or list; "" if the map lacks the key."""
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
_OWN: dict[str, tuple[Callable[..., Any], Fact | None]] = {
    "trimPrefix": (lambda text, prefix: text.removeprefix(prefix), None),
    "replace": (lambda old, new, text: text.replace(old, new), Fact.TEMPLATE_REPLACE),
    "isIPv4": (_is_version(4), Fact.TEMPLATE_REPLACE),
    "isIPv6": (_is_version(6), Fact.TEMPLATE_REPLACE),
    "contains": (lambda text, part: part in text, Fact.TEMPLATE_TRIM),
    "trimSuffix": (lambda text, suffix: text.removesuffix(suffix), Fact.TEMPLATE_TRIM),
    "trim": (lambda text: text.strip(), Fact.TEMPLATE_TRIM),
    "toLower": (lambda text: text.lower(), Fact.TEMPLATE_TRIM),
    "hasKey": (lambda mapping, key: key in (mapping or {}), Fact.TEMPLATE_HAS_KEY),
}
