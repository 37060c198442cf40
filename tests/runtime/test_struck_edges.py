"""Which sockets an edge has."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.faults import EdgeSlow
from testbed.network import lease
from testbed.runtime.struck_edges import StruckEdges, accepting
from tests.faults.edges import PORT, far_side


def test_an_edge_is_where_its_far_side_listens(tmp_path: Path) -> None:
    with lease() as network, far_side(network.backend_pod(0), tmp_path) as far:
        assert accepting(lambda at: at[0] == far.address) == {(far.address, PORT)}
        assert accepting(lambda at: at[0] == network.backend_pod(1)) == set()


async def test_an_edge_to_servers_that_the_run_did_not_start_is_refused(tmp_path: Path) -> None:
    with lease() as network, far_side(network.backend_pod(0), tmp_path) as far:
        edges = StruckEdges(far.relays, {"targets-backends": []})
        with pytest.raises(BadInput, match="did not start"), edges.struck(EdgeSlow("targets-backends")):
            pass
