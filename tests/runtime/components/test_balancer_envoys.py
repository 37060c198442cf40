"""The Envoy of a balancer type, before any balancer exists."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.clock import Clock
from testbed.network import BALANCER_TYPES, BalancerType, Network
from testbed.runtime.components import balancer_envoys
from testbed.runtime.components.envoy_process import Envoy


@pytest.mark.parametrize("kind", BALANCER_TYPES)
def test_it_starts_without_balancers_and_has_no_connection(
    kind: BalancerType, network: Network, tmp_path: Path
) -> None:
    envoy = balancer_envoys.envoy(kind, network, Clock(), tmp_path)
    assert envoy.admin == balancer_envoys.admin_url(kind, network)
    with envoy.start(tmp_path) as process:
        # It is not ready before the ADS server answers, but its admin interface is there.
        process.wait_until(lambda: admin_answers(envoy))
        assert balancer_envoys.active_connections(envoy.admin) == 0


def admin_answers(envoy: Envoy) -> bool:
    try:
        balancer_envoys.active_connections(envoy.admin)
    except OSError:
        return False
    return True


def test_both_types_ask_the_control_plane_for_their_resources() -> None:
    network = Network(81)
    for kind in BALANCER_TYPES:
        values = balancer_envoys.values(kind, network)
        assert (values["XDS_ADDRESS"], values["XDS_PORT"]) == (network.control, 18000)
    assert len({balancer_envoys.admin_url(kind, network) for kind in BALANCER_TYPES}) == 2
