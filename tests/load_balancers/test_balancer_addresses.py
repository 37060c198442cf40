from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import ipv6_loopback
from testbed.errors import Missing
from testbed.load_balancers.balancer_addresses import AddressBook
from testbed.network import Network
from testbed.runtime.compose.container_network import ContainerNetwork

PREFIX = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:loadbalancer"
NLB, ALB = f"{PREFIX}/net/a/0123456789abcdef", f"{PREFIX}/app/b/0123456789abcdef"


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2))))
def test_an_address_stays_with_its_balancer_and_zone(lookups: list[tuple[int, int]]) -> None:
    book, seen = AddressBook(Network(99)), {}
    for balancer, zone in lookups:
        arn = f"{NLB}{balancer}"
        address = book.address(arn, zone)
        assert seen.setdefault((arn, zone), address) == address
        assert book.balancer_of(address) == arn
    assert len(set(seen.values())) == len(seen)


def test_an_address_that_no_balancer_has_is_none() -> None:
    assert AddressBook(Network(99)).balancer_of("127.99.10.1") is None


def test_a_balancer_is_known_by_the_address_that_its_targets_see() -> None:
    network = ContainerNetwork(91)
    book = AddressBook(network)
    address = book.address(ALB, 0)
    assert network.inside(address) != address
    assert book.balancer_of(network.inside(address)) == ALB


def test_each_type_has_addresses_of_its_own_in_containers() -> None:
    book = AddressBook(ContainerNetwork(91))
    assert book.address(NLB, 0).split(".")[2] != book.address(ALB, 0).split(".")[2]


def test_more_balancers_than_addresses_are_reported() -> None:
    network = Network(99)
    book = AddressBook(network)
    for index in range(network.most_balancers):
        book.address(f"{ALB}{index}", 0)
    with pytest.raises(Missing, match="a run has addresses for at most 240 load balancers"):
        book.address(NLB, 0)
    assert book.address(f"{ALB}0", 1)


def test_a_port_of_a_node_keeps_its_port_of_ipv6_and_shares_it_with_no_other() -> None:
    network = Network(99)
    book = AddressBook(network)
    keys = [
        (network.balancer(index, zone), port)
        for index in range(3)
        for zone in (0, 1)
        for port in (8443, 8080)
    ]
    first = [book.ipv6_port(*key) for key in keys]
    assert [book.ipv6_port(*key) for key in keys] == first
    assert len(set(first)) == len(keys)
    assert set(first) <= set(network.ipv6_ports)
    assert set(book.ipv6_ports.values()) == set(first)


def test_a_port_of_ipv6_that_something_else_has_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(99)
    taken = network.ipv6_ports[0]
    monkeypatch.setattr(ipv6_loopback, "can_bind", lambda port: port != taken)
    assert AddressBook(network).ipv6_port("127.99.10.1", 8443) == taken + 1
    monkeypatch.setattr(ipv6_loopback, "can_bind", lambda _port: False)
    with pytest.raises(Missing, match="at most 88 ports of ::1"):
        AddressBook(network).ipv6_port("127.99.10.1", 8443)


def test_two_networks_share_no_port_of_ipv6() -> None:
    everyone = [port for second in range(255) for port in Network(second).ipv6_ports]
    assert len(set(everyone)) == len(everyone)
    assert max(everyone) < 32768
