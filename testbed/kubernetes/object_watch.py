"""A watch: the events of some kinds in the order of their writes, for one consumer."""

from __future__ import annotations

import enum
import queue
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


class Change(enum.StrEnum):
    """The kind of an event, in the API's words."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """A write. `object` is the object after it (for DELETED: its last state), to be read only.

    `previous` is the object before it, None for ADDED: a client that selects by labels gets DELETED for an
    object whose labels have changed.
    """

    type: Change
    object: dict[str, Any]
    revision: int
    previous: dict[str, Any] | None = field(default=None, compare=False, repr=False)


class Watch:
    """Delivers events to one consumer until it is closed. A context manager, which closes it at the end."""

    def __init__(
        self,
        kinds: frozenset[str],
        first: Iterable[WatchEvent],
        on_close: Callable[[Watch], None],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.kinds = kinds
        self._wake = wake
        # Without a limit: the writer holds the store's lock, and must never wait for a slow consumer.
        self._events: queue.SimpleQueue[WatchEvent | None] = queue.SimpleQueue()
        self._on_close = on_close
        for event in first:
            self._events.put(event)

    def get(self, timeout: float | None = None) -> WatchEvent | None:
        """Return the next event; None after `timeout` wall seconds, or when the watch is closed."""
        try:
            return self._events.get(timeout=timeout)
        except queue.Empty:
            return None

    def offer(self, event: WatchEvent) -> None:
        """Take an event of the store, if its kind is watched."""
        if event.object["kind"] in self.kinds:
            self._events.put(event)
            self._wake()

    def close(self) -> None:
        """Deliver nothing more and wake the consumer."""
        self._on_close(self)
        # None wakes a consumer that waits in `get`, which returns it as it is.
        self._events.put(None)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
