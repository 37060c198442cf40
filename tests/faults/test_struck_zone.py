"""Which zones a fault may strike."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.errors import BadInput
from testbed.faults.struck_zone import KINDS, ZONES
from testbed.faults.zone_dead import ZoneDead
from testbed.network import BALANCER_TYPES
from testbed.runtime.components import cluster_objects


def test_the_zones_are_those_of_the_nodes_and_the_kinds_those_of_the_balancers() -> None:
    assert tuple(zone[-1] for zone in cluster_objects.ZONES) == ZONES
    assert KINDS == BALANCER_TYPES


@pytest.mark.parametrize(("kind", "zone", "why"), [("envoy-0", "a", "no balancers"), ("nlb", "b", "no zone")])
def test_what_is_not_there_is_refused(kind: Any, zone: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        ZoneDead(kind, zone)
