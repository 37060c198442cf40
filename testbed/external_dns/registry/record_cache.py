"""The cache of `--txt-cache-interval`: the records as they were last read or written.

ExternalDNS does not notice a change by hand, or a batch that Route 53 refused, before the interval is over:
it changes the cache before it sends the batch. Source: external-dns, registry/txt/registry.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from testbed.clock import Clock
from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import Endpoint, same_targets


class RecordCache:
    """Records with their labels, valid for some production seconds; 0 keeps none."""

    def __init__(self, seconds: float, clock: Clock, release: Release) -> None:
        self._seconds, self._clock, self._release = seconds, clock, release
        self._records: list[Endpoint] | None = None
        self._read_at = 0.0

    def fresh(self) -> list[Endpoint] | None:
        """Return the records, or None if they have to be read."""
        if self._records is None or self._clock.now() - self._read_at >= self._seconds:
            return None
        return list(self._records)

    def fill(self, records: Iterable[Endpoint]) -> None:
        """Keep the records that were just read."""
        if self._seconds > 0:
            self._records, self._read_at = list(records), self._clock.now()

    def change(self, removed: Iterable[Endpoint], added: Iterable[Endpoint]) -> None:
        """Apply to the cache what is about to be sent."""
        if self._records is None:
            return
        for endpoint in removed:
            found = next((one for one in self._records if self._is_same(one, endpoint)), None)
            if found is not None:
                self._records.remove(found)
        self._records += added

    def _is_same(self, one: Endpoint, other: Endpoint) -> bool:
        return (one.name, one.type, one.set_identifier) == (
            other.name,
            other.type,
            other.set_identifier,
        ) and same_targets(one.targets, other.targets, self._release)
