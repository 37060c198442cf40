"""Strikes the nodes that the balancers of a type have in one zone: silence, and absence from DNS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from testbed.borrowed_sockets import Address
from testbed.faults.struck_zone import StruckZone
from testbed.network import BalancerType
from testbed.runtime.silenced_sockets import Place, silenced


class Nodes(Protocol):
    """Who knows the nodes of balancers, as `Fleet` does."""

    def node_ends(self, kind: BalancerType, zone: str) -> tuple[set[str], set[Address]]:
        """Return the addresses of the nodes in a zone, and their ports of `::1`."""

    def leaving_out(self, kind: BalancerType, zone: str) -> AbstractContextManager[None]:
        """Leave the addresses of the nodes in a zone out of DNS while the block lasts."""


@contextmanager
def zone_struck(fault: StruckZone, nodes: Nodes, pid: Callable[[], int]) -> Iterator[None]:
    """Strike a zone while the block lasts.

    Args:
        pid: returns the id of the process that is all balancers of the type.

    Raises:
        Missing: the kernel does not let this user reach the sockets of the process.
    """

    def places() -> Sequence[Place]:
        # Looked up each time: a balancer that is made meanwhile has a node in that zone, too.
        addresses, ports = nodes.node_ends(fault.kind, fault.zone)
        return [(pid(), lambda ends: ends.local[0] in addresses or ends.local in ports)]

    with ExitStack() as stack:
        if fault.leaves_dns:
            stack.enter_context(nodes.leaving_out(fault.kind, fault.zone))
        stack.enter_context(silenced(places))
        yield
