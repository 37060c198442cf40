"""Whose turn it is: clients share the requests, each from its start on, or have a pace of their own."""

from __future__ import annotations

import bisect
import heapq
import time
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Client = TypeVar("Client")

_SPREAD = (5**0.5 - 1) / 2
"""The golden ratio: multiples of it are spread evenly, however many there are."""


@dataclass(order=True)
class _Paced(Generic[Client]):
    due: float
    every: float
    client: Client = field(compare=False)


class Turns(Generic[Client]):
    """Clients of one protocol. The first request starts the time; by then at least one must have started."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Client, float]] = []
        self._started: list[Client] = []
        self._paced: list[_Paced[Client]] = []
        self._began: float | None = None
        self._at = -1

    def add(self, client: Client, starts: float = 0.0, every: float = 0.0) -> None:
        """Let a client take turns from so many wall seconds after the first request on.

        With `every` it takes a turn each so many wall seconds; the other clients share the rest.
        """
        # The number keeps the order of clients that start together.
        bisect.insort(self._waiting, (starts, len(self._waiting), client, every), key=lambda entry: entry[:2])

    def next(self) -> Client:
        """Return the client whose turn it is."""
        now = time.monotonic()
        if self._waiting:
            self._start(now)
        if self._paced and (self._paced[0].due <= now or not self._started):
            paced = self._paced[0]
            # Not what it has missed as well: after a stall there would be a burst.
            due = max(paced.due + paced.every, now)
            heapq.heapreplace(self._paced, _Paced(due, paced.every, paced.client))
            return paced.client
        self._at = (self._at + 1) % len(self._started)
        return self._started[self._at]

    def _start(self, now: float) -> None:
        if self._began is None:
            self._began = now
        while self._waiting:
            starts, number, client, every = self._waiting[0]
            if starts > now - self._began and (self._started or self._paced):
                return
            self._waiting.pop(0)
            if every:
                first = self._began + starts + every * (number * _SPREAD % 1)
                heapq.heappush(self._paced, _Paced(first, every, client))
            else:
                self._started.append(client)
