from __future__ import annotations

import ipaddress

import pytest

from testbed.load_balancers.balancer_addresses import AddressBook
from testbed.network import Network
from testbed.runtime.compose.container_network import ContainerNetwork

NLB = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:loadbalancer/net/one/0123456789abcdef"
ALB = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:loadbalancer/app/two/0123456789abcdef"


@pytest.mark.parametrize("kind", ["nlb", "alb"])
def test_every_address_of_a_balancer_lies_in_the_ranges_of_its_node(kind: str) -> None:
    network = ContainerNetwork(91)
    front, back = map(ipaddress.ip_network, network.range(kind))
    for index in range(network.most_balancers):
        address = network.balancer(index, 1, kind)
        assert ipaddress.ip_address(address) in front
        assert ipaddress.ip_address(network.inside(address)) in back


def test_clients_and_targets_see_a_balancer_at_addresses_of_their_own_network() -> None:
    network = ContainerNetwork(91)
    clients, targets = (ipaddress.ip_network(text) for text in ("10.91.128.0/17", "10.91.0.0/18"))
    ranges = [network.range(kind) for kind in ("nlb", "alb")]
    assert all(ipaddress.ip_network(front).subnet_of(clients) for front, _ in ranges)
    assert all(ipaddress.ip_network(back).subnet_of(targets) for _, back in ranges)
    pods = [network.envoy_pod(0), network.backend_pod(1), network.node(1)]
    assert all(ipaddress.ip_address(pod) in targets for pod in pods)


@pytest.mark.parametrize("network", [Network(81), ContainerNetwork(91)], ids=str)
def test_a_balancer_is_found_by_what_its_targets_see(network: Network) -> None:
    book = AddressBook(network)
    nlb, alb = book.address(NLB, 0), book.address(ALB, 1)
    assert book.balancer_of(network.inside(nlb)) == NLB
    assert book.balancer_of(network.inside(alb)) == ALB
    assert book.balancer_of(network.envoy_pod(0)) is None
