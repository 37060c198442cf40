"""`EdgeSlow` as it strikes the connections to a process, and as it is undone."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest

from testbed.errors import BadInput
from testbed.faults.edge_slow import EdgeSlow
from testbed.network import lease
from tests.faults.edges import far_side

LATE = 0.15


async def test_bytes_are_late_in_both_directions_and_keep_their_order(tmp_path: Path) -> None:
    with lease() as network, far_side(network.backend_pod(0), tmp_path) as far:
        with far.struck(EdgeSlow("targets-backends", LATE, jitter=LATE)):
            caller = await far.call()
            began = monotonic()
            for number in range(3):
                assert await caller.echoed(b"%d" % number) == b"%d" % number
            # A bound from below, which no load of the machine can break.
            assert monotonic() - began >= 3 * 2 * LATE
        after = await far.call()
        assert await after.echoed(b"on time") == b"on time"


def test_jitter_spreads_what_chaos_draws() -> None:
    tolls = [one.toll() for one in EdgeSlow.samples()]
    assert any(one.jitter for one in tolls)
    assert any(one.delay > other.delay for one, other in pairwise(tolls))


@pytest.mark.parametrize(("seconds", "jitter"), [(0, 0), (-1, 0), (0.1, -1), (0.1, float("nan"))])
def test_seconds_out_of_their_range_are_refused(seconds: float, jitter: float) -> None:
    with pytest.raises(BadInput, match="are not seconds"):
        EdgeSlow("clients-nlb", seconds, jitter)
