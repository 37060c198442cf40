"""`AddressGone` as it strikes a real Envoy and the balancer's name, and as it is undone."""

from __future__ import annotations

from testbed.faults.address_gone import AddressGone
from testbed.runtime.struck_zones import zone_struck
from tests.faults.zones import Zonal, zonal
from tests.load_balancers.conftest import cloud

__all__ = ["cloud", "zonal"]


def test_one_address_is_silent_leaves_dns_and_is_back_once_it_ends(zonal: Zonal) -> None:
    first, second = zonal.nodes
    with zone_struck(AddressGone("alb"), zonal.cloud.fleet, lambda: zonal.cloud.pids["alb"]):
        assert zonal.in_dns() == (second,)
        assert not zonal.accepts(first)
        assert zonal.accepts(second)
    assert zonal.in_dns() == zonal.nodes
    assert zonal.accepts(first)
