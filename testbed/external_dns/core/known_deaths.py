"""How a release of ExternalDNS can end by a fault of its own. The emulation does not play it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from testbed.dated_releases import Release
from testbed.external_dns.core.facts import Fact


@dataclass(frozen=True, slots=True)
class Death:
    """A way to end: what happens, one sentence without its full stop, and what to do."""

    what: str
    do: str


def known_deaths(release: Release) -> Iterator[Death]:
    """Yield the known ways in which a release can end."""
    if release.has(Fact.INDEX_PANIC):
        yield Death(
            f"ExternalDNS {release} can end in an index panic while it updates records (external-dns #5634, "
            "#5647): the pod restarts, and the record moves late or never",
            "use v0.19.0 or later",
        )
    if release.has(Fact.ERRORS_END_PROCESS) and not release.has(Fact.SOFT_ERRORS):
        yield Death(
            f"ExternalDNS {release} ends at any error of Route 53, a throttled call too: the pod restarts, "
            "and under a steady error it syncs ever less often",
            "use v0.14.1 or later",
        )
