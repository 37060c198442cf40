"""Tells which connections gRPC holds, by looking at the process's own sockets.

gRPC tells the state of a channel, not of its connections: one that drains after a GOAWAY is invisible
there for as long as its last stream lives. The kernel knows.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Set
from dataclasses import dataclass

from testbed.traffic.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Flow:
    """An established TCP connection of this process."""

    local_port: int
    address: str


def flows(port: int) -> frozenset[Flow]:
    """The established connections of this process to a port."""
    found = set()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  # a Path for each of hundreds is not free
        try:
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            copy = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue  # closed since it was listed
        with copy:
            if copy.family == socket.AF_UNIX or copy.type != socket.SOCK_STREAM:
                continue
            try:
                peer = copy.getpeername()
                if peer[1] == port:
                    found.add(Flow(copy.getsockname()[1], peer[0].removeprefix("::ffff:")))
            except OSError:
                continue  # not connected
    return frozenset(found)


class FlowWatch:
    """Tells the ledger which gRPC connections came and went since the last look."""

    def __init__(self, port: int, ledger: Ledger) -> None:
        self._port = port
        self._ledger = ledger
        self._known: frozenset[Flow] = frozenset()

    def look(self, others: Set[Flow]) -> None:
        """Compare with the last look; `others` are connections that are not gRPC's."""
        now = flows(self._port) - others
        for flow in now - self._known:
            self._ledger.opened(f"app/{flow.local_port}", "app", flow.address)
        for flow in self._known - now:
            self._ledger.closed(f"app/{flow.local_port}", "app", flow.address, "")
        self._known = now
