"""Sockets whose packets the kernel drops, and which go on afterwards."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from testbed.network import lease
from testbed.runtime.silenced_sockets import silenced
from testbed.settings import PATIENCE
from tests.faults.edges import PORT, far_side, is_silent


async def test_open_connections_are_silent_new_ones_wait_and_both_go_on_afterwards(tmp_path: Path) -> None:
    with lease() as network, far_side(network.backend_pod(0), tmp_path) as far:
        caller = await far.call()
        assert await caller.echoed(b"before") == b"before"
        with silenced(lambda: [(far.process.pid, lambda ends: far.is_at(ends.local))]):
            assert await is_silent(caller)
            with pytest.raises(TimeoutError):
                socket.create_connection((far.address, PORT), PATIENCE.command_look)
            late = asyncio.create_task(far.call())
        assert await caller.reader.readline() == b"anybody?\n"
        assert await (await late).echoed(b"new") == b"new"


async def test_other_sockets_of_the_process_are_not_struck(tmp_path: Path) -> None:
    with lease() as network, far_side(network.backend_pod(0), tmp_path) as far:
        caller = await far.call()
        with silenced(lambda: [(far.process.pid, lambda ends: ends.local[0] == network.backend_pod(1))]):
            assert await caller.echoed(b"during") == b"during"


async def test_a_socket_that_opens_meanwhile_is_silenced_too(tmp_path: Path) -> None:
    with lease() as network, far_side(network.backend_pod(0), tmp_path) as far:
        wanted: list[tuple[str, int]] = []
        with silenced(lambda: [(far.process.pid, lambda ends: ends.local in wanted)]):
            caller = await far.call()
            wanted.append((far.address, PORT))
            while not await is_silent(caller):
                pass
        assert b"anybody?\n" in await caller.reader.readline()
