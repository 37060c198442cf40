"""`ZoneDead` as it strikes a real Envoy, and as it is undone."""

from __future__ import annotations

from testbed.faults.zone_dead import ZoneDead
from testbed.runtime.struck_zones import zone_struck
from tests.faults.zones import Zonal, is_served, zonal
from tests.load_balancers.conftest import cloud

__all__ = ["cloud", "zonal"]


def test_one_address_is_silent_stays_in_dns_and_serves_again_once_it_ends(zonal: Zonal) -> None:
    first, second = zonal.nodes
    with zonal.client(first) as client:
        assert is_served(client)
        with zone_struck(ZoneDead("alb"), zonal.cloud.fleet, lambda: zonal.cloud.pids["alb"]):
            assert not zonal.accepts(first)
            assert not is_served(client)
            assert zonal.accepts(second)
            assert zonal.in_dns() == zonal.nodes
    assert zonal.accepts(first)
    with zonal.client(first) as client:
        assert is_served(client)
