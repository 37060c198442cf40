"""All sources that are emulated. A new one is a module of its own and one entry here."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.external_dns.sources.ingress import IngressSource
from testbed.external_dns.sources.service import ServiceSource
from testbed.external_dns.sources.source import Object, Source

# The order of the objects is seeded in this order of the sources, so append and do not sort.
_SOURCES: tuple[type[Source], ...] = (
    ServiceSource,
    IngressSource,
)
SOURCES: Mapping[str, type[Source]] = {source.name: source for source in _SOURCES}
"""The sources by their names."""
KINDS = tuple(dict.fromkeys(kind for source in _SOURCES for kind in source.kinds))
"""The kinds of objects that can claim names."""
_BY_KIND = {kind: source for source in _SOURCES for kind in source.kinds}


def source_of(kind: str) -> type[Source] | None:
    """Return the source that reads objects of a kind, or None."""
    return _BY_KIND.get(kind)


def resource_of(item: Object) -> str:
    """Return the name by which a TXT refers to an object: `service/default/web`."""
    source, metadata = source_of(item["kind"]), item["metadata"]
    name = source.name if source else item["kind"].lower()
    return f"{name}/{metadata.get('namespace', 'default')}/{metadata['name']}"
