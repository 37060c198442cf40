"""`EdgeNarrow` as it strikes the connections to a process, and as it is undone."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from testbed.errors import BadInput
from testbed.faults.edge_narrow import EdgeNarrow
from testbed.network import lease
from tests.faults.edges import far_side


async def test_bytes_take_the_time_that_the_bandwidth_gives_them(tmp_path: Path) -> None:
    sent = b"x" * 30_000
    with lease() as network, far_side(network.backend_pod(0), tmp_path) as far:
        with far.struck(EdgeNarrow("targets-backends", 100)):
            caller = await far.call()
            began = monotonic()
            caller.writer.write(sent)
            assert await caller.reader.readexactly(len(sent)) == sent
            # A bound from below, which no load of the machine can break: less one chunk of a twentieth.
            assert monotonic() - began >= 0.25
        after = await far.call()
        assert await after.echoed(sent) == sent


@pytest.mark.parametrize("kilobytes", [0, -1, 10**7, "16", 1.5])
def test_what_is_no_bandwidth_is_refused(kilobytes: Any) -> None:
    with pytest.raises(BadInput, match="is no bandwidth"):
        EdgeNarrow("clients-nlb", kilobytes)
