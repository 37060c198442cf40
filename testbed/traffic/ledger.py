"""The account of a generator: every request it meant to send, with its times and its outcome.

Events are encoded as they happen and appended in batches, one write each, so that the cost of a request
is even and other processes' lines are never torn.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from testbed.clock import Clock
from testbed.journal import CLIENTS_STOPPED, Connection, Journal, Outcome, Request, TrafficStopped, encode
from testbed.traffic.calls import Call
from testbed.traffic.plan import Kind


@dataclass(slots=True)
class Entry:
    """A request under way; clients fill in what they learn. Field names are `journal.Request`'s."""

    id: str
    kind: Kind
    messages: int
    intended: float
    client: str = ""
    method: str = ""
    sent: float = 0.0
    peer: str = ""
    connection: str = ""
    pod: str = ""
    listener: str = ""
    status: str = ""
    retries: int = 0
    call: Call | None = None


class Ledger:
    """Counts and writes; `address` is what all clients ask for."""

    def __init__(self, journal: Journal, clock: Clock, address: str) -> None:
        self._journal = journal
        self._address = address
        self._offset = clock.epoch - clock.monotonic
        self._lines: list[bytes] = []
        self._is_ending = False
        self.scheduled = 0
        self.sent = 0
        self.finished = 0

    def wall(self, monotonic: float | None = None) -> float:
        """The run's wall time now, or of a `time.monotonic()`."""
        return (time.monotonic() if monotonic is None else monotonic) + self._offset

    def start(self, entry: Entry, client: str) -> None:
        """The client begins with the request: from here on it is sent."""
        entry.client = client
        entry.sent = self.wall()
        self.sent += 1

    def finish(self, entry: Entry, outcome: Outcome, detail: str = "") -> None:
        """The request has its outcome."""
        self.finished += 1
        self._lines.append(
            encode(
                Request(
                    time=self.wall(),
                    id=entry.id,
                    client=entry.client,
                    protocol=entry.kind.protocol,
                    method=entry.method,
                    shape=entry.kind.shape,
                    intended=entry.intended,
                    sent=entry.sent,
                    address=self._address,
                    peer=entry.peer,
                    connection=entry.connection,
                    pod=entry.pod,
                    listener=entry.listener,
                    status=entry.status,
                    outcome=outcome,
                    detail=detail,
                    retries=entry.retries,
                )
            )
        )

    def opened(self, identifier: str, client: str, address: str) -> None:
        """A client has a new connection."""
        event = Connection(time=self.wall(), id=identifier, client=client, state="open", address=address)
        self._lines.append(encode(event))

    def closed(self, identifier: str, client: str, address: str, reason: str) -> None:
        """A client's connection is gone; once the traffic ends, because it does."""
        why = CLIENTS_STOPPED if self._is_ending else reason
        event = Connection(
            time=self.wall(), id=identifier, client=client, state="closed", address=address, reason=why
        )
        self._lines.append(encode(event))

    def ends(self) -> None:
        """From now on it is the clients who close connections."""
        self._is_ending = True

    def flush(self) -> None:
        """Append what happened since the last flush.

        Raises:
            Missing: the disk is full.
        """
        lines, self._lines = self._lines, []
        self._journal.append(b"".join(lines))

    def stop(self) -> None:
        """Close the account: what was scheduled and not sent was never started."""
        self._lines.append(
            encode(
                TrafficStopped(
                    time=self.wall(),
                    scheduled=self.scheduled,
                    sent=self.sent,
                    finished=self.finished,
                    never_started=self.scheduled - self.sent,
                )
            )
        )
        self.flush()
