"""Follows the growing ledger and counts its requests, at a few microseconds each."""

from __future__ import annotations

import os
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from testbed.journal import client_model

_REQUEST = b'{"event":"request"'
_CONNECTION = b'{"event":"connection"'
_CHUNK = 1 << 20
_RECENT_LAGS = 2_000
_RECENT_SECONDS = 5


@dataclass(slots=True)
class Progress:
    """Counters of the requests in a journal, as of the last `update`.

    Attributes:
        path: the journal.
        outcomes: requests by outcome: ok, failed, unknown.
        peers: requests by the address of the balancer node that answered; "" if unanswered.
        retries: attempts beyond the first.
        connections: open connections by their remote address and the client model that has them.
    """

    path: Path
    outcomes: Counter[str] = field(default_factory=Counter)
    peers: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    connections: Counter[tuple[str, str]] = field(default_factory=Counter)
    _offset: int = 0
    _torn: bytes = b""
    _lags: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT_LAGS))
    _seconds: dict[int, Counter[str]] = field(default_factory=dict)

    def update(self) -> None:
        """Read the lines since the last update; do nothing if there is no journal yet."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            while data := os.pread(descriptor, _CHUNK, self._offset):
                self._offset += len(data)
                # A chunk may end within a line.
                *lines, self._torn = (self._torn + data).split(b"\n")
                for line in lines:
                    self._count(line)
        finally:
            os.close(descriptor)
        for old in sorted(self._seconds)[: -_RECENT_SECONDS or None]:
            del self._seconds[old]

    def rates(self) -> dict[str, int]:
        """Return the requests that finished in the last whole second, by address of the balancer node."""
        if not self._seconds:
            return {}
        # The newest second is not over yet.
        return dict(self._seconds.get(max(self._seconds) - 1, Counter()))

    def lag(self, quantile: float = 0.99) -> float:
        """Return a quantile of the start lag (sent minus intended) of the latest requests in wall seconds."""
        lags = sorted(self._lags)
        return lags[min(len(lags) - 1, int(len(lags) * quantile))] if lags else 0.0

    def _count(self, line: bytes) -> None:
        if line.startswith(_REQUEST):
            self._count_request(orjson.loads(line))
        elif line.startswith(_CONNECTION):
            event = orjson.loads(line)
            self.connections[event["address"], client_model(event["client"])] += (
                1 if event["state"] == "open" else -1
            )

    def _count_request(self, event: dict[str, Any]) -> None:
        peer = event["peer"]
        self.outcomes[event["outcome"]] += 1
        self.peers[peer] += 1
        self.retries += event["retries"]
        self._lags.append(event["sent"] - event["intended"])
        self._seconds.setdefault(int(event["time"]), Counter())[peer] += 1
