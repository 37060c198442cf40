"""Relays in front of another process: what they do to its callers, and that they can be taken away."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from testbed.borrowed_sockets import sockets
from testbed.faults.struck_edge import Toll
from testbed.network import lease
from testbed.runtime.edge_relay import _FIRST_OWN, _LAST_OWN
from testbed.settings import PATIENCE
from tests.faults.edges import PORT, Far, far_side

NONE = Toll()


def relayed(far: Far) -> int:
    """The connections that relays have to the process."""
    ports = range(_FIRST_OWN, _LAST_OWN + 1)
    return sum(one.remote == (far.address, PORT) and one.local[1] in ports for one in sockets().values())


async def test_every_new_connection_goes_through_and_none_afterwards(tmp_path: Path) -> None:
    with lease() as network, far_side(network.backend_pod(0), tmp_path) as far:
        before = await far.call()
        for _ in range(2):  # the socket of the process can be struck again
            with far.relays.diverted(far.process.pid, far.is_at, NONE):
                callers = [await far.call(f"127.9.9.{number}") for number in range(1, 21)]
                assert relayed(far) == len(callers)
                assert await before.echoed(b"direct") == b"direct"
                assert [await one.echoed(b"relayed") for one in callers] == [b"relayed"] * len(callers)
            after = [await far.call() for _ in range(20)]
            assert relayed(far) == len(callers)
            for one in callers:
                assert await one.echoed(b"still") == b"still"
                await one.close()
            for one in after:
                await one.close()
            for _ in range(1_000):
                if not relayed(far):
                    break
                await asyncio.sleep(PATIENCE.poll)
            assert relayed(far) == 0


async def test_many_bytes_arrive_whole_and_in_order(tmp_path: Path) -> None:
    sent = bytes(range(256)) * 4096
    with (
        lease() as network,
        far_side(network.backend_pod(0), tmp_path) as far,
        far.relays.diverted(far.process.pid, far.is_at, Toll(delay=0.001, jitter=0.005, rate=20e6)),
    ):
        caller = await far.call()
        caller.writer.write(sent)
        assert await caller.reader.readexactly(len(sent)) == sent


async def test_the_end_of_the_fault_ends_every_wait(tmp_path: Path) -> None:
    with lease() as network, far_side(network.backend_pod(0), tmp_path) as far:
        with far.relays.diverted(far.process.pid, far.is_at, Toll(delay=3600.0, close_delay=3600.0)):
            reader, writer = await asyncio.open_connection(far.address, PORT)
            far.callers.append(writer)
            writer.write(b"late\n")
        assert (await reader.readline(), await reader.readline()) == (b"127.0.0.1\n", b"late\n")
        writer.write(b"go\n")
        assert await reader.read() == b""


async def test_the_end_of_the_process_is_the_end_of_its_relayed_connections(tmp_path: Path) -> None:
    with (
        lease() as network,
        far_side(network.backend_pod(0), tmp_path) as far,
        far.relays.diverted(far.process.pid, far.is_at, NONE),
    ):
        caller = await far.call()
        far.process.stop()
        assert await caller.reader.read() == b""


async def test_ipv6_is_relayed_like_ipv4(tmp_path: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with far_side("::1", tmp_path) as far, far.relays.diverted(far.process.pid, far.is_at, NONE):
        callers = [await far.call("::1") for _ in range(8)]
        assert relayed(far) == len(callers)
        assert await callers[0].echoed(b"six") == b"six"


async def test_a_socket_that_is_wanted_only_later_is_led_through_a_relay_too(tmp_path: Path) -> None:
    with lease() as network, far_side(network.backend_pod(0), tmp_path) as far:
        wanted: list[tuple[str, int]] = []
        with far.relays.diverted(far.process.pid, lambda at: at in wanted, NONE):
            direct = await far.call()
            assert relayed(far) == 0
            wanted.append((far.address, PORT))
            for _ in range(1_000):
                await far.call()
                if relayed(far):
                    break
            assert relayed(far) == 1
            assert await direct.echoed(b"direct") == b"direct"
