"""`EdgeReset` as it strikes the connections to a process, and as it is undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.faults.edge_reset import EdgeReset
from testbed.network import lease
from tests.faults.edges import far_side


async def test_open_connections_are_reset_and_new_ones_are_served(tmp_path: Path) -> None:
    with lease() as network, far_side(network.backend_pod(0), tmp_path) as far:
        callers = [await far.call() for _ in range(3)]
        with far.struck(EdgeReset("targets-backends")):
            for one in callers:
                with pytest.raises(ConnectionResetError):
                    await one.reader.read()
            new = await far.call()
            assert await new.echoed(b"new") == b"new"
        assert await new.echoed(b"after") == b"after"
