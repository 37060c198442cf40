"""v0.19 and later: endpoints of one name, from several objects of a source, become one where DNS allows it.

Source: external-dns, endpoint/utils.go (MergeEndpoints), source/service.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from testbed.external_dns.core.endpoint import Endpoint

Warn = Callable[[str], None]
Absorbed = Callable[[Endpoint, Endpoint], None]
"""Gets an endpoint that survives, and one that is dropped for it or merged into it."""
_ONE_TARGET = ("CNAME", "DNAME")


def unheard(kept: Endpoint, other: Endpoint) -> None:
    """Do nothing, where it does not matter what became of the other endpoint."""


def merged(endpoints: Iterable[Endpoint], warn: Warn, absorbed: Absorbed = unheard) -> list[Endpoint]:
    """Merge endpoints of equal name, type, set identifier and TTL: all targets, the labels of the first.

    CNAMEs with different targets stay apart, with a warning: no zone can have both.
    """
    kept: dict[tuple[object, ...], Endpoint] = {}
    aliases: dict[tuple[str, str], str] = {}
    for endpoint in endpoints:
        if endpoint.type in _ONE_TARGET and not endpoint.targets:
            continue
        # The target is part of a CNAME's key: merging would give it two targets.
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
    """Merge the addresses of Services of equal name and set identifier; the smallest label stays."""
    kept: dict[tuple[object, ...], Endpoint] = {}
    # Sorted by the label, because the one that comes first gives its own to all.
    for index, endpoint in enumerate(sorted(endpoints, key=lambda one: one.resource)):
        apart = index if endpoint.type in _ONE_TARGET else -1
        key = (endpoint.name, endpoint.type, endpoint.set_identifier, apart)
        _add(kept, key, endpoint, absorbed)
    return list(kept.values())


def _add(
    kept: dict[tuple[object, ...], Endpoint], key: tuple[object, ...], other: Endpoint, absorbed: Absorbed
) -> None:
    first = kept.get(key)
    if first is None:
        # Most endpoints have one target and stand alone: no copy for them.
        targets = other.targets
        unique = targets if len(targets) < 2 else tuple(sorted(set(targets)))
        kept[key] = other if unique == targets else other._replace(targets=unique)
        return
    if first.resource != other.resource:
        absorbed(first, other)
    if not set(first.targets).issuperset(other.targets):
        kept[key] = first._replace(targets=tuple(sorted({*first.targets, *other.targets})))
