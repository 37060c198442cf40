"""`EdgeClosesLate` as it strikes the connections to a process, and as it is undone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.faults.edge_closes_late import EdgeClosesLate
from testbed.network import lease
from testbed.settings import PATIENCE
from tests.faults.edges import far_side


async def test_a_caller_hears_of_a_close_only_once_it_ends(tmp_path: Path) -> None:
    with lease() as network, far_side(network.backend_pod(0), tmp_path) as far:
        with far.struck(EdgeClosesLate("targets-backends", 3600.0)):
            caller = await far.call()
            caller.writer.write(b"go\n")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(PATIENCE.command_look):
                    await caller.reader.read()
        assert await caller.reader.read() == b""
        after = await far.call()
        after.writer.write(b"go\n")
        assert await after.reader.read() == b""


def test_seconds_out_of_their_range_are_refused() -> None:
    with pytest.raises(BadInput, match="are not seconds"):
        EdgeClosesLate("clients-nlb", 0)
