"""Every address and port of a run, inside one /16 of the loopback range.

Linux answers on all of 127.0.0.0/8, so each pod, node and balancer zone has an address of its own and
several runs stand side by side without meeting.

```
127.N.0.1        AWS endpoint 4566, moto 4567, Kubernetes API 6443, xDS 18000
127.N.0.53       DNS 5300 (UDP and TCP)
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

from testbed.errors import BadInput, Missing

FIRST_NETWORK = 80
LAST_NETWORK = 179
AWS_PORT = 4566
MOTO_PORT = 4567
KUBERNETES_PORT = 6443
XDS_PORT = 18000
LOCK_PORT = 7
UNPRIVILEGED_FROM = 1024
UNPRIVILEGED_OFFSET = 8000


@dataclass(frozen=True, slots=True)
class Network:
    """The loopback /16 `127.<second>.0.0` and the port plan of a run.

    Attributes:
        second: the second byte of all addresses.
        privileged: whether production ports below 1024 are bound as they are. If not, they move up
            by 8000: 443 becomes 8443, 80 becomes 8080; DNS is at 5300 instead of 53.
    """

    second: int
    privileged: bool = False

    def address(self, third: int, fourth: int) -> str:
        """An address of this network."""
        return f"127.{self.second}.{third}.{fourth}"

    @property
    def control(self) -> str:
        """Where the APIs listen."""
        return self.address(0, 1)

    @property
    def dns(self) -> str:
        """Where the DNS server listens."""
        return self.address(0, 53)

    @property
    def dns_port(self) -> int:
        """The port of the DNS server, UDP and TCP."""
        return 53 if self.privileged else 5300

    def envoy_pod(self, index: int) -> str:
        """The IP of the target Envoy pod `index`, from 0."""
        return self.address(1, index + 1)

    def backend_pod(self, index: int) -> str:
        """The IP of the backend pod `index`, from 0."""
        return self.address(2, index + 1)

    def node(self, index: int) -> str:
        """The IP of the Kubernetes node `index`, from 0."""
        return self.address(3, index + 1)

    def balancer(self, index: int, zone: int, kind: str = "nlb") -> str:  # noqa: ARG002 all share one range
        """The IP of balancer `index` (from 0) of a kind (`nlb`, `alb`) in zone `zone` (from 0)."""
        return self.address(10 + index, zone + 1)

    def inside(self, address: str) -> str:
        """Where the balancer node of an address connects to its targets from: here, the same address."""
        return address

    @property
    def most_balancers(self) -> int:
        """For how many balancers there is room."""
        return 240

    def admin(self, kind: str) -> str:  # noqa: ARG002 here both are on one address
        """Where the Envoy of a kind of balancer has its admin interface."""
        return self.control

    def port(self, production: int) -> int:
        """The port to bind for a port that AWS or a manifest names."""
        if self.privileged or production >= UNPRIVILEGED_FROM:
            return production
        return production + UNPRIVILEGED_OFFSET

    @property
    def aws_endpoint(self) -> str:
        """The URL of the one AWS endpoint."""
        return f"http://{self.control}:{AWS_PORT}"

    def __str__(self) -> str:
        return f"127.{self.second}.0.0/16"

    @classmethod
    def parse(cls, text: str, *, privileged: bool = False) -> Network:
        """Read `127.81.0.0/16`.

        Raises:
            BadInput: not a /16 of the loopback range.
        """
        try:
            network = ipaddress.IPv4Network(text)
        except ValueError as error:
            raise BadInput(f"network {text!r} is not an IPv4 network ({error})") from None
        if network.prefixlen != 16 or not network.is_loopback:
            raise BadInput(f"network {text!r} is not a /16 of 127.0.0.0/8", do="use 127.81.0.0/16")
        return cls(network.network_address.packed[1], privileged)


class NetworkLease:
    """Holds a network for one run, by a bound socket that dies with the process."""

    def __init__(self, network: Network, lock: socket.socket) -> None:
        self.network = network
        self._lock = lock

    def __enter__(self) -> Network:
        return self.network

    def __exit__(self, *_: object) -> None:
        self._lock.close()


def lease(wanted: Network | None = None, *, privileged: bool = False) -> NetworkLease:
    """Take the network asked for, or the first that no other run holds.

    Raises:
        Missing: another run holds it, or all of them.
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
