"""The records as last read or written, for `--txt-cache-interval`.

A change made by hand, or a batch that Route 53 refused, is not noticed before the interval is over:
the cache is changed before the batch is sent. Source: external-dns, registry/txt/registry.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from testbed.clock import Clock
from testbed.external_dns.endpoint import Endpoint, same_targets


class RecordCache:
    """Records with their labels, good for some production seconds; 0 keeps none."""

    def __init__(self, seconds: float, clock: Clock, *, typed: bool) -> None:
        self._seconds, self._clock, self._typed = seconds, clock, typed
        self._records: list[Endpoint] | None = None
        self._read_at = 0.0

    def fresh(self) -> list[Endpoint] | None:
        """The records, or None if they have to be read."""
        if self._records is None or self._clock.now() - self._read_at >= self._seconds:
            return None
        return list(self._records)

    def fill(self, records: Iterable[Endpoint]) -> None:
        """Keep what was read just now."""
        if self._seconds > 0:
            self._records, self._read_at = list(records), self._clock.now()

    def change(self, removed: Iterable[Endpoint], added: Iterable[Endpoint]) -> None:
        """Follow what is about to be sent."""
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
        ) and same_targets(one.targets, other.targets, typed=self._typed)
