"""The addresses and ports of a run, inside one /16 of the loopback range.

Linux answers on all of 127.0.0.0/8, so each pod, node and balancer zone has an address of its own, and
several runs work side by side without a conflict.

```
127.N.0.1        AWS endpoint 4566, moto 4567, Kubernetes API 6443, live page 7080, xDS 18000
127.N.0.53       DNS 5300 (UDP and TCP); .54 and .56: as the clients without and with IPv6 see it
127.N.1.x        target Envoy pods          127.N.2.x   backend pods
127.N.3.x        nodes
127.N.10-249.z   balancers: third byte the balancer, fourth byte the zone
```
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from testbed.errors import BadInput, Missing

BalancerType = Literal["nlb", "alb"]
"""The two types of load balancer. Named here because addresses, journal and AWS rules all depend on it."""
BALANCER_TYPES: tuple[BalancerType, ...] = ("nlb", "alb")

FIRST_NETWORK = 80
LAST_NETWORK = 179
AWS_PORT = 4566
MOTO_PORT = 4567
KUBERNETES_PORT = 6443
LIVE_PAGE_PORT = 7080
XDS_PORT = 18000
LOCK_PORT = 7
UNPRIVILEGED_FROM = 1024
UNPRIVILEGED_OFFSET = 8000
UNPRIVILEGED_POD_OFFSET = 20000
_FIRST_BALANCER, _MOST_BALANCERS = 10, 240
_IPV6_PORTS_FROM, _IPV6_PORTS = 10_000, 88
"""Of each /16: together they end below 32768, where Linux takes the ports of clients from."""
STAND_INS = ipaddress.IPv4Network("127.255.0.0/16")
"""No run has this network: see `ipv6_loopback.py`."""


@dataclass(frozen=True, slots=True)
class Network:
    """The loopback /16 `127.<second>.0.0` and the port plan of a run.

    Attributes:
        second: the second byte of all addresses.
        privileged: True binds production ports below 1024 unchanged. False adds 8000: 443 becomes 8443,
            80 becomes 8080; DNS has port 5300 instead of 53. Target pods add 20000.
    """

    second: int
    privileged: bool = False

    def address(self, third: int, fourth: int) -> str:
        """Return an address of this network by its third and fourth byte."""
        return f"127.{self.second}.{third}.{fourth}"

    @property
    def control(self) -> str:
        """The address on which the APIs listen."""
        return self.address(0, 1)

    @property
    def dns(self) -> str:
        """The address on which the DNS server listens."""
        return self.address(0, 53)

    @property
    def dns_of_ipv4_hosts(self) -> str:
        """The address on which DNS answers as a program on a host without IPv6 uses the answers."""
        return self.address(0, 54)

    @property
    def dns_of_ipv6_hosts(self) -> str:
        """The address on which DNS answers as a program on a host with IPv6 uses the answers."""
        return self.address(0, 56)

    @property
    def dns_port(self) -> int:
        """The port of the DNS server, UDP and TCP."""
        return 53 if self.privileged else 5300

    def envoy_pod(self, index: int) -> str:
        """Return the IP of the target Envoy pod `index`, from 0."""
        return self.address(1, index + 1)

    def backend_pod(self, index: int) -> str:
        """Return the IP of the backend pod `index`, from 0."""
        return self.address(2, index + 1)

    def node(self, index: int) -> str:
        """Return the IP of the Kubernetes node `index`, from 0."""
        return self.address(3, index + 1)

    def balancer(self, index: int, zone: int, kind: str = "nlb") -> str:  # noqa: ARG002 all share one range
        """Return the IP of balancer `index` of a type in zone `zone`, both from 0."""
        return self.address(_FIRST_BALANCER + index, zone + 1)

    @staticmethod
    def is_balancer(address: ipaddress.IPv4Address) -> bool:
        """True for an address in the range of the balancers of any network."""
        third = address.packed[2]
        return address.is_loopback and _FIRST_BALANCER <= third < _FIRST_BALANCER + _MOST_BALANCERS

    @property
    def ipv6_ports(self) -> range:
        """The ports of `::1` that belong to this network: one for each listener of a node with IPv6."""
        first = _IPV6_PORTS_FROM + self.second * _IPV6_PORTS
        return range(first, first + _IPV6_PORTS)

    def inside(self, address: str) -> str:
        """Return the address from which a balancer node connects to its targets: here, its own."""
        return address

    @property
    def most_balancers(self) -> int:
        """The number of balancers that the network has addresses for."""
        return _MOST_BALANCERS

    def admin(self, kind: str) -> str:  # noqa: ARG002 here both are on one address
        """Return the address of the admin interface of the Envoy for a type of balancer."""
        return self.control

    def port(self, production: int) -> int:
        """Return the port to bind for a port of AWS or of a manifest."""
        if self.privileged or production >= UNPRIVILEGED_FROM:
            return production
        return production + UNPRIVILEGED_OFFSET

    def pod_port(self, production: int) -> int:
        """Return the port that a target pod binds for a port of a manifest.

        Not that of `port`: a pod may have 80 and 8080.
        """
        if self.privileged or production >= UNPRIVILEGED_FROM:
            return production
        return production + UNPRIVILEGED_POD_OFFSET

    @property
    def aws_endpoint(self) -> str:
        """The URL of the AWS endpoint."""
        return f"http://{self.control}:{AWS_PORT}"

    def __str__(self) -> str:
        return f"127.{self.second}.0.0/16"

    @classmethod
    def parse(cls, text: str, *, privileged: bool = False) -> Network:
        """Read a network such as `127.81.0.0/16`.

        Raises:
            BadInput: the text is no /16 of the loopback range.
        """
        try:
            network = ipaddress.IPv4Network(text)
        except ValueError as error:
            raise BadInput(f"network {text!r} is not an IPv4 network ({error})") from None
        if network.prefixlen != 16 or not network.is_loopback:
            raise BadInput(f"network {text!r} is not a /16 of 127.0.0.0/8", do="use 127.81.0.0/16")
        if network == STAND_INS:
            raise BadInput(f"network {text} belongs to IPv6 clients in every run", do="use 127.81.0.0/16")
        return cls(network.network_address.packed[1], privileged)


class NetworkLease:
    """Reserves a network for one run with a bound socket, which the kernel closes with the process."""

    def __init__(self, network: Network, lock: socket.socket) -> None:
        self.network = network
        self._lock = lock

    def __enter__(self) -> Network:
        return self.network

    def __exit__(self, *_: object) -> None:
        self._lock.close()


def lease(wanted: Network | None = None, *, privileged: bool = False) -> NetworkLease:
    """Reserve a network: `wanted`, or the first that no other run holds.

    Raises:
        Missing: another run holds `wanted`, or other runs hold all networks.
    """
    for network in _candidates(wanted, privileged):
        lock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            lock.bind((network.address(0, 2), LOCK_PORT + UNPRIVILEGED_OFFSET))
        except OSError:
            lock.close()
            continue
        return NetworkLease(network, lock)
    raise Missing(
        f"network {wanted} is held by another run" if wanted else "no free loopback network",
        do="stop the other run or name another network with --network",
    )


def _candidates(wanted: Network | None, privileged: bool) -> Iterator[Network]:
    if wanted:
        yield wanted
        return
    for second in range(FIRST_NETWORK, LAST_NETWORK + 1):
        yield Network(second, privileged)
