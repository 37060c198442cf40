"""Every address of the composed topology, inside one private /16, as docker-compose.yml assigns them.

Four Docker networks, so that no part can reach what it must not reach:

```
10.N.0.0/18    targets   10.N.0.1x nodes of balancers, control   10.N.1.x target Envoys   10.N.2.x backends
                         10.N.16-31.z NLBs, 10.N.32-47.z ALBs, as their targets see them
10.N.64.0/24   control   LocalStack .10, AWS endpoint .11, control .12, Envoys of the NLBs .13 and ALBs .14,
               the ExternalDNS of a user .15
10.N.65.0/24   edge      AWS endpoint .11, control .12: their ports are published on the host's loopback
10.N.128.0/17  clients   DNS 10.N.128.53, rehearse 10.N.128.100
                         10.N.144-159.z NLBs, 10.N.160-175.z ALBs: third byte the balancer, fourth the zone
```

As in AWS, a balancer has one address towards its clients and another towards its targets. They differ by 128
in the third byte.
"""

from __future__ import annotations

from dataclasses import dataclass

from testbed.network import AWS_PORT, Network

FRONT = 128
"""The difference between the third bytes of a balancer's address towards clients and towards targets."""
_FIRST = {"nlb": FRONT + 16, "alb": FRONT + 32}
_CONTROL = 64
INSIDE_PORT = 4568
"""The port at which the service `aws` listens for `control`, and only for it."""
CONTROL_PORT = 7070
SUBNET = 91
"""The second byte of all addresses, unless TESTBED_SUBNET names another."""
EDGE = (65, 12)
"""Third and fourth byte of the address by which `control` is published."""


@dataclass(frozen=True, slots=True)
class ContainerNetwork(Network):
    """The private /16 `10.<second>.0.0` of a composed topology; all ports are those of production."""

    privileged: bool = True

    def address(self, third: int, fourth: int) -> str:
        """Return an address of this network."""
        return f"10.{self.second}.{third}.{fourth}"

    @property
    def localstack(self) -> str:
        """The address of LocalStack."""
        return self.address(_CONTROL, 10)

    @property
    def aws(self) -> str:
        """The address of the AWS endpoint."""
        return self.address(_CONTROL, 11)

    @property
    def control(self) -> str:
        """The address of the control plane and of discovery."""
        return self.address(_CONTROL, 12)

    @property
    def external_dns(self) -> str:
        """The address of an image of ExternalDNS that the user brings."""
        return self.address(_CONTROL, 15)

    @property
    def dns(self) -> str:
        """The address of the DNS server, for the clients."""
        return self.address(FRONT, 53)

    def admin(self, kind: str) -> str:
        """Return the address of the admin interface of a type's Envoy."""
        return self.address(_CONTROL, 13 if kind == "nlb" else 14)

    def balancer(self, index: int, zone: int, kind: str = "nlb") -> str:
        """Return the IP, as clients see it, of balancer `index` of a type in zone `zone`, both from 0."""
        return self.address(_FIRST[kind] + index, zone + 1)

    def inside(self, address: str) -> str:
        """Return the address that targets see of the balancer node that clients see at `address`."""
        third, fourth = map(int, address.split(".")[2:])
        return self.address(third - FRONT, fourth)

    def range(self, kind: str) -> tuple[str, str]:
        """Return the ranges of a type's balancers, as clients and as targets see them, in CIDR notation."""
        front = self.address(_FIRST[kind], 0)
        return f"{front}/20", f"{self.inside(front)}/20"

    @property
    def most_balancers(self) -> int:
        """The number of balancers of a type that can have addresses."""
        return 16

    @property
    def aws_endpoint(self) -> str:
        """The URL of the one AWS endpoint."""
        return f"http://{self.aws}:{AWS_PORT}"

    def __str__(self) -> str:
        return f"10.{self.second}.0.0/16"
