"""Strikes the connections of a run's edges, at the side that accepts them: resets, tolls, silent zones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from testbed.borrowed_sockets import Address, sockets
from testbed.child_process import Process
from testbed.errors import BadInput
from testbed.faults.struck_edge import Edge, StruckEdge, TolledEdge
from testbed.load_balancers import connection_resets
from testbed.runtime.edge_relay import EdgeRelays

Accepting = tuple[Process, Callable[[Address], bool]]
"""A process, and at which of its addresses and ports it accepts the connections of an edge."""


class StruckEdges:
    """The edges of a run."""

    def __init__(self, relays: EdgeRelays, edges: Mapping[Edge, Sequence[Accepting]]) -> None:
        self._relays, self._edges = relays, edges

    @contextmanager
    def struck(self, fault: StruckEdge) -> Iterator[None]:
        """Strike an edge while the block lasts.

        Raises:
            BadInput: what accepts the connections of the edge is no process of this run.
            Missing: the kernel does not let this user reach the sockets of the processes.
        """
        if not self._edges[fault.edge]:
            raise BadInput(
                f"{fault.text}: the run did not start what accepts these connections",
                do="name another edge, or let the run start your server by its command",
            )
        with ExitStack() as stack:
            for process, accepts in self._edges[fault.edge]:
                if isinstance(fault, TolledEdge):
                    stack.enter_context(self._relays.diverted(process.pid, accepts, fault.toll()))
                else:
                    _reset(process, accepting(accepts))
            yield


def _reset(process: Process, at: Collection[Address]) -> None:
    connection_resets.reset(process.pid, lambda ends: ends.local in at)


def accepting(accepts: Callable[[Address], bool]) -> Collection[Address]:
    """Return where sockets listen now, of the addresses that are wanted."""
    return {ends.local for ends in sockets().values() if ends.listens and accepts(ends.local)}
