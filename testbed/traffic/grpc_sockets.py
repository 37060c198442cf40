"""Finds the connections of gRPC among the process's own sockets.

gRPC reports the state of a channel, not of its connections: a connection that drains after a GOAWAY is
invisible there until its last stream ends. The kernel knows it. A connection that opens and ends between two
looks is known by its answers: an ALB adds the client's address and port to them.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Set
from dataclasses import dataclass

from testbed.traffic.ledger import Entry, Ledger

GRPC = "grpcio"


@dataclass(frozen=True, slots=True)
class Flow:
    """An established TCP connection of this process."""

    local_port: int
    address: str


def flows(port: int) -> frozenset[Flow]:
    """Return the established connections of this process to a port."""
    established = set()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  # a Path for each of hundreds is not free
        try:
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            # A duplicate, because the socket object closes its descriptor.
            copy = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue  # closed since it was listed
        with copy:
            if copy.family == socket.AF_UNIX or copy.type != socket.SOCK_STREAM:
                continue
            try:
                peer = copy.getpeername()
                if peer[1] == port:
                    # gRPC opens IPv6 sockets for IPv4 addresses too.
                    established.add(Flow(copy.getsockname()[1], peer[0].removeprefix("::ffff:")))
            except OSError:
                continue  # not connected
    return frozenset(established)


class FlowWatch:
    """Reports to the ledger the gRPC connections that opened and closed since the last look."""

    def __init__(self, port: int, ledger: Ledger) -> None:
        self._port = port
        self._ledger = ledger
        self._known: dict[int, Flow] = {}
        self._closed: dict[int, float] = {}

    def look(self, others: Set[Flow]) -> None:
        """Compare with the last look; `others` are connections of other clients than gRPC."""
        now = {flow.local_port: flow for flow in flows(self._port) - others}
        for port, flow in self._known.items() - now.items():
            self._ledger.closed(f"{GRPC}/{port}", GRPC, flow.address, "")
            self._closed[port] = self._ledger.wall()
        for _, flow in now.items() - self._known.items():
            self._open(flow)
        self._known = now

    def answered(self, entry: Entry) -> None:
        """Report the connection of an answer, unless a look has seen it: the next one finds its end."""
        address, _, port = entry.connection.rpartition(":")
        # An NLB's node names its own connection; and what comes by IPv6, the relay reports.
        if not port.isdecimal() or address == entry.peer or ":" in address:
            return
        flow = Flow(int(port), entry.peer)
        # Closed since the request was sent: the look was between answer and ledger.
        if flow.local_port not in self._known and self._closed.get(flow.local_port, 0.0) < entry.sent:
            self._open(flow)
            self._known[flow.local_port] = flow

    def _open(self, flow: Flow) -> None:
        self._ledger.opened(f"{GRPC}/{flow.local_port}", GRPC, flow.address)
