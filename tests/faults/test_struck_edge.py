"""Which edges a fault may strike."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.errors import BadInput
from testbed.faults import KNOWN
from testbed.faults.struck_edge import EDGES, StruckEdge, Toll, TolledEdge

STRUCK = [one for one in KNOWN.values() if issubclass(one, StruckEdge)]


@pytest.mark.parametrize("fault", STRUCK, ids=lambda fault: fault.name)
def test_a_fault_takes_every_edge_and_nothing_else(fault: Any) -> None:
    assert {one.edge for one in fault.samples()} == set(EDGES)
    with pytest.raises(BadInput, match="no edge"):
        fault("clients-targets")


@pytest.mark.parametrize(
    "fault", [one for one in STRUCK if issubclass(one, TolledEdge)], ids=lambda one: one.name
)
def test_what_a_relay_plays_takes_a_toll(fault: Any) -> None:
    assert all(one.toll() != Toll() for one in fault.samples())
