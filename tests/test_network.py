from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.errors import BadInput, Missing
from testbed.network import Network, lease


def test_low_ports_move_up_unless_the_user_may_bind_them() -> None:
    assert Network(81).port(443) == 8443
    assert Network(81).port(8080) == 8080
    assert Network(81, privileged=True).port(443) == 443


def test_two_runs_get_two_networks() -> None:
    with lease() as first, lease() as second:
        assert first != second


def test_a_network_that_another_run_holds_is_refused_in_one_line() -> None:
    with lease() as held, pytest.raises(Missing, match=r"127\.\d+\.0\.0/16 is held by another run"):
        lease(held)


def test_a_lease_ends_with_its_block() -> None:
    with lease() as network:
        pass
    with lease(network) as again:
        assert again == network


@pytest.mark.parametrize("text", ["10.0.0.0/16", "127.0.0.0/8", "nonsense", "127.1.2.0/24", ""])
def test_a_network_off_the_loopback_range_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Network.parse(text)


@given(st.integers(0, 254), st.integers(0, 99), st.integers(0, 2))
def test_every_address_is_a_loopback_address_of_its_network(second: int, index: int, zone: int) -> None:
    network = Network(second)
    addresses = [
        network.control,
        network.dns,
        network.envoy_pod(index),
        network.backend_pod(index),
        network.node(index),
        network.balancer(index, zone),
    ]
    assert len(set(addresses)) == len(addresses)
    assert all(ipaddress.ip_address(address) in ipaddress.ip_network(str(network)) for address in addresses)
    assert Network.parse(str(network)) == network


def test_the_stand_ins_of_ipv6_clients_are_no_network() -> None:
    with pytest.raises(BadInput, match="belongs to IPv6 clients"):
        Network.parse("127.255.0.0/16")
