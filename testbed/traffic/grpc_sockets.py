"""Finds the connections of gRPC among the process's own sockets.

gRPC reports the state of a channel, not of its connections: a connection that drains after a GOAWAY is
invisible there until its last stream ends. The kernel knows it.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Set
from dataclasses import dataclass

from testbed.traffic.ledger import Ledger

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
        self._known: frozenset[Flow] = frozenset()

    def look(self, others: Set[Flow]) -> None:
        """Compare with the last look; `others` are connections of other clients than gRPC."""
        now = flows(self._port) - others
        for flow in now - self._known:
            self._ledger.opened(f"{GRPC}/{flow.local_port}", GRPC, flow.address)
        for flow in self._known - now:
            self._ledger.closed(f"{GRPC}/{flow.local_port}", GRPC, flow.address, "")
        self._known = now
