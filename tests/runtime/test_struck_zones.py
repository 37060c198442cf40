"""A zone that is struck: which sockets of the balancers' process are silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.borrowed_sockets import Address
from testbed.faults import AddressGone
from testbed.network import BalancerType, lease
from testbed.runtime.struck_zones import zone_struck
from tests.faults.edges import far_side, is_silent


class Nodes:
    """The nodes of a zone, as the test says."""

    def __init__(self) -> None:
        self.addresses: set[str] = set()
        self.left_out: list[tuple[str, str]] = []

    def node_ends(self, kind: BalancerType, zone: str) -> tuple[set[str], set[Address]]:
        assert (kind, zone) == ("alb", "c")
        return self.addresses, set()

    @contextmanager
    def leaving_out(self, kind: BalancerType, zone: str) -> Iterator[None]:
        self.left_out.append((kind, zone))
        yield
        self.left_out.clear()


async def test_a_node_that_is_made_meanwhile_is_struck_too_and_the_zone_is_out_of_dns(tmp_path: Path) -> None:
    nodes = Nodes()
    with lease() as network, far_side(network.balancer(0, 1), tmp_path) as far:
        caller = await far.call()
        with zone_struck(AddressGone("alb", "c"), nodes, lambda: far.process.pid):
            assert await caller.echoed(b"not there yet") == b"not there yet"
            assert nodes.left_out == [("alb", "c")]
            nodes.addresses.add(far.address)
            while not await is_silent(caller):
                pass
        assert b"anybody?\n" in await caller.reader.readline()
    assert nodes.left_out == []
