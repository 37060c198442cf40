"""The ledger of a generator: every request that it intended to send, with its times and its outcome.

Events are encoded as they happen and appended in batches, each with one write. So every request costs the
same, and lines of other processes are never torn.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from testbed.clock import Clock
from testbed.journal import (
    CLIENTS_STOPPED,
    Connection,
    Family,
    Journal,
    Outcome,
    Request,
    TrafficStopped,
    encode,
)
from testbed.traffic.calls import Call
from testbed.traffic.traffic_plan import RequestKind

FIELD_OF_HEADER = {
    "x-testbed-peer": "peer",
    "x-testbed-connection": "connection",
    "x-testbed-pod": "pod",
    "x-testbed-listener": "listener",
}
"""Response headers of targets and balancers, and the fields of `Entry` that they fill."""


@dataclass(slots=True)
class Entry:
    """A request in flight. Clients fill in what they learn; fields are named as in `journal.Request`."""

    id: str
    kind: RequestKind
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
    family: Family = "ipv4"
    call: Call | None = None


class Ledger:
    """Counts requests and writes them to the journal; `address` is the `host:port` that all clients call."""

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
        """Return the run's current wall time, or that of a `time.monotonic()`."""
        return (time.monotonic() if monotonic is None else monotonic) + self._offset

    def start(self, entry: Entry, client: str) -> None:
        """Record that a client starts a request; from here on it counts as sent."""
        entry.client = client
        entry.sent = self.wall()
        self.sent += 1

    def finish(self, entry: Entry, outcome: Outcome, detail: str = "") -> None:
        """Record the outcome of a request."""
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
                    family=entry.family,
                )
            )
        )

    def opened(self, identifier: str, client: str, address: str) -> None:
        """Record a new connection of a client."""
        event = Connection(time=self.wall(), id=identifier, client=client, state="open", address=address)
        self._lines.append(encode(event))

    def closed(self, identifier: str, client: str, address: str, reason: str) -> None:
        """Record the end of a connection; after `ends` the reason is the end of the traffic."""
        why = CLIENTS_STOPPED if self._is_ending else reason
        event = Connection(
            time=self.wall(), id=identifier, client=client, state="closed", address=address, reason=why
        )
        self._lines.append(encode(event))

    def ends(self) -> None:
        """Note that from now on the clients themselves close their connections."""
        self._is_ending = True

    def flush(self) -> None:
        """Append the events since the last flush to the journal.

        Raises:
            Missing: the disk is full.
        """
        lines, self._lines = self._lines, []
        self._journal.append(b"".join(lines))

    def stop(self) -> None:
        """Close the ledger: requests that were scheduled and not sent count as never started."""
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
