"""All sources that are emulated. A new one is a module of its own and one entry here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from testbed.dated_releases import Release
from testbed.external_dns.sources.gateway_routes import (
    GrpcRouteSource,
    HttpRouteSource,
    TcpRouteSource,
    TlsRouteSource,
    UdpRouteSource,
)
from testbed.external_dns.sources.ingress import IngressSource
from testbed.external_dns.sources.service import ServiceSource
from testbed.external_dns.sources.source import Object, Source

# The order of the objects is seeded in this order of the sources, so append and do not sort.
_SOURCES: tuple[type[Source], ...] = (
    ServiceSource,
    IngressSource,
    HttpRouteSource,
    GrpcRouteSource,
    TlsRouteSource,
    TcpRouteSource,
    UdpRouteSource,
)
SOURCES: Mapping[str, type[Source]] = {source.name: source for source in _SOURCES}
"""The sources by their names."""
KINDS = tuple(dict.fromkeys(kind for source in _SOURCES for kind in source.kinds))
"""The kinds of objects that can claim names."""
_BY_KIND = {kind: source for source in _SOURCES for kind in source.kinds}


def source_of(kind: str) -> type[Source] | None:
    """Return the source that reads objects of a kind, or None."""
    return _BY_KIND.get(kind)


def unserved(
    names: Iterable[str], release: Release, is_served: Callable[[str, str], bool]
) -> Iterator[tuple[str, str]]:
    """Yield each kind that sources read in an API version which the cluster does not serve, with the version.

    A release that meets one waits for its cache, and ends.

    Args:
        names: of `--source`.
        release: the version of ExternalDNS.
        is_served: takes an API version and a kind.
    """
    read = {kind: version for name in names for kind, version in SOURCES[name].read_versions(release).items()}
    yield from ((kind, version) for kind, version in read.items() if not is_served(version, kind))


def resource_of(item: Object) -> str:
    """Return the name by which a TXT refers to an object: `service/default/web`."""
    source, metadata = source_of(item["kind"]), item["metadata"]
    name = source.label if source else item["kind"].lower()
    return f"{name}/{metadata.get('namespace', 'default')}/{metadata['name']}"
