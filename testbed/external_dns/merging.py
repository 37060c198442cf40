"""v0.16 and later: endpoints of one name, from several objects of a source, become one where DNS allows it.

Source: external-dns, endpoint/utils.go (MergeEndpoints), source/service.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from testbed.external_dns.endpoint import Endpoint

Warn = Callable[[str], None]
Absorbed = Callable[[Endpoint, Endpoint], None]
"""Hears of an endpoint that survives, and of one that is dropped for it or added to it."""
_ONE_TARGET = ("CNAME", "DNAME")


def unheard(kept: Endpoint, other: Endpoint) -> None:
    """For who need not know what became of the other endpoint."""


def merged(endpoints: Iterable[Endpoint], warn: Warn, absorbed: Absorbed = unheard) -> list[Endpoint]:
    """Endpoints of equal name, type, set identifier and TTL as one, with all targets; the first one's labels.

    CNAMEs with other targets stay apart, with a warning: no zone can have both.
    """
    kept: dict[tuple[object, ...], Endpoint] = {}
    aliases: dict[tuple[str, str], str] = {}
    for endpoint in endpoints:
        if endpoint.type in _ONE_TARGET and not endpoint.targets:
            continue
        only = endpoint.targets[0] if endpoint.type in _ONE_TARGET else ""
        key = (endpoint.name, endpoint.type, endpoint.set_identifier, endpoint.ttl, only)
        if endpoint.type == "CNAME" and only:
            first = aliases.setdefault((endpoint.name, endpoint.set_identifier), only)
            if first != only and key not in kept:
                warn(
                    f"Only one CNAME per name — {endpoint.name} CNAME {first} and "
                    f"{endpoint.name} CNAME {only} is invalid DNS. "
                    "A resolver wouldn't know which canonical name to follow."
                )
        _add(kept, key, endpoint, absorbed)
    return list(kept.values())


def merged_services(endpoints: Iterable[Endpoint], absorbed: Absorbed = unheard) -> list[Endpoint]:
    """Addresses of Services of equal name and set identifier as one endpoint, with the smallest label."""
    kept: dict[tuple[object, ...], Endpoint] = {}
    for index, endpoint in enumerate(sorted(endpoints, key=lambda one: one.resource)):
        apart = index if endpoint.type in _ONE_TARGET else -1
        key = (endpoint.name, endpoint.type, endpoint.set_identifier, apart)
        _add(kept, key, endpoint, absorbed)
    return list(kept.values())


def _add(
    kept: dict[tuple[object, ...], Endpoint], key: tuple[object, ...], other: Endpoint, absorbed: Absorbed
) -> None:
    one = kept.get(key)
    if one is None:
        # Most endpoints have one target and stand alone: no copy for them.
        targets = other.targets
        unique = targets if len(targets) < 2 else tuple(sorted(set(targets)))
        kept[key] = other if unique == targets else other._replace(targets=unique)
        return
    if one.resource != other.resource:
        absorbed(one, other)
    if not set(one.targets).issuperset(other.targets):
        kept[key] = one._replace(targets=tuple(sorted({*one.targets, *other.targets})))
