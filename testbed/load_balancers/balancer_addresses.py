"""The addresses of balancers: one for each zone, and a port of `::1` for each of its listeners with IPv6.

They stay the same for the whole run.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from testbed import ipv6_loopback
from testbed.errors import Missing
from testbed.network import BalancerType, Network


class AddressBook:
    """Numbers the balancers in the order in which they appear. Thread-safe.

    No address is used twice, so a cached DNS answer never leads to another balancer.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._indexes: dict[str, int] = {}
        self._owners: dict[str, str] = {}
        self._ipv6: dict[tuple[str, int], int] = {}
        self._free_ports = iter(network.ipv6_ports)
        self._lock = threading.Lock()

    def address(self, balancer: str, zone: int) -> str:
        """Return the address of a balancer in one of its zones.

        Args:
            balancer: its ARN.
            zone: index of the zone, from 0.

        Raises:
            Missing: there are more balancers than the network has addresses for.
        """
        with self._lock:
            index = self._indexes.setdefault(balancer, len(self._indexes))
            if index >= (most := self._network.most_balancers):
                raise Missing(f"a run has addresses for at most {most} load balancers")
            balancer_type: BalancerType = "nlb" if ":loadbalancer/net/" in balancer else "alb"
            address = self._network.balancer(index, zone, balancer_type)
            self._owners[address] = self._owners[self._network.inside(address)] = balancer
        return address

    def ipv6_port(self, node: str, port: int) -> int:
        """Return the port of `::1` that stands for a port of a node.

        Raises:
            Missing: the network has no free port of `::1` left.
        """
        key = ipv6_loopback.aaaa_of(node), port
        with self._lock:
            if key not in self._ipv6:
                own = next(filter(ipv6_loopback.can_bind, self._free_ports), None)
                if own is None:
                    ports = len(self._network.ipv6_ports)
                    raise Missing(
                        f"a run has at most {ports} ports of ::1 for listeners of dualstack balancers"
                    )
                self._ipv6[key] = own
            return self._ipv6[key]

    @property
    def ipv6_ports(self) -> Mapping[tuple[str, int], int]:
        """The ports of `::1` by the node's AAAA answer and port."""
        with self._lock:
            return dict(self._ipv6)

    def balancer_of(self, address: str) -> str | None:
        """Return the ARN of the balancer with an address, on either side; None if no balancer has it."""
        with self._lock:
            return self._owners.get(address)
