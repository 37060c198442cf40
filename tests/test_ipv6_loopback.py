"""A node, its AAAA answer and its stand-in mean the same place, and a port of `::1` is the way there."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import ipv6_loopback
from testbed.ipv6_loopback import NodePort, NodePorts, aaaa_of, is_stand_in, stand_in_of
from testbed.network import Network


@given(st.integers(0, 254), st.integers(0, 239), st.integers(0, 5))
def test_nodes_of_one_network_have_stand_ins_of_their_own(second: int, index: int, zone: int) -> None:
    node = Network(second).balancer(index, zone)
    stand_in = stand_in_of(aaaa_of(node))
    assert stand_in is not None
    assert is_stand_in(stand_in)
    assert not is_stand_in(node)
    assert stand_in.split(".")[2:] == node.split(".")[2:]


@pytest.mark.parametrize("aaaa", ["2001:db8::1", "::1", "::ffff:10.0.0.1", "::ffff:127.80.0.1"])
def test_an_answer_that_is_no_balancers_has_no_stand_in(aaaa: str) -> None:
    assert stand_in_of(aaaa) is None


def test_the_clients_read_the_ports_that_the_balancers_wrote(tmp_path: Path) -> None:
    ports = NodePorts(tmp_path / "ports.json")
    assert ports.find("127.255.10.1", 8443) is None  # nothing is written yet
    ports.write({("::ffff:127.80.10.1", 8443): 17040, ("::ffff:127.80.10.1", 8080): 17041})
    assert NodePorts(ports.path).find("127.255.10.1", 8443) == NodePort("::ffff:127.80.10.1", 17040)
    assert ports.find("127.255.10.1", 8080) == NodePort("::ffff:127.80.10.1", 17041)
    assert ports.find("127.255.10.2", 8443) is None


@pytest.mark.skipif(not ipv6_loopback.is_available(), reason="this machine has no ::1")
def test_a_port_that_something_listens_at_cannot_be_bound() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        assert not ipv6_loopback.can_bind(taken.getsockname()[1])
