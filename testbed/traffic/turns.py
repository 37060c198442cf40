"""Whose turn it is: clients take turns with the requests, each from its start on."""

from __future__ import annotations

import bisect
import time
from typing import Generic, TypeVar

Client = TypeVar("Client")


class Turns(Generic[Client]):
    """Clients of one protocol. The first request starts the time; by then at least one must have started."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Client]] = []
        self._started: list[Client] = []
        self._began: float | None = None
        self._at = -1

    def add(self, client: Client, starts: float = 0.0) -> None:
        """Let a client take turns from so many wall seconds after the first request on."""
        # The number keeps the order of clients that start together.
        bisect.insort(self._waiting, (starts, len(self._waiting), client), key=lambda entry: entry[:2])

    def next(self) -> Client:
        """Return the client whose turn it is."""
        if self._waiting:
            self._start(time.monotonic())
        self._at = (self._at + 1) % len(self._started)
        return self._started[self._at]

    def _start(self, now: float) -> None:
        if self._began is None:
            self._began = now
        while self._waiting and (not self._started or self._waiting[0][0] <= now - self._began):
            self._started.append(self._waiting.pop(0)[2])
