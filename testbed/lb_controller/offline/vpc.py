"""The account that a plan assumes: a VPC with two public and two private subnets in two zones, and ACM."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.lb_controller.core.build_inputs import Subnet
from testbed.settings import REGION

ROLES = {"public": "kubernetes.io/role/elb", "private": "kubernetes.io/role/internal-elb"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """A VPC 10.0.0.0/16.

    Attributes:
        has_ipv6: True if the VPC and its subnets have IPv6 ranges too.
        has_certificates: True if ACM has a certificate for every host.
    """

    region: str = REGION
    has_ipv6: bool = False
    has_certificates: bool = True

    @property
    def cidrs(self) -> tuple[str, ...]:
        """The IPv4 ranges."""
        return ("10.0.0.0/16",)

    @property
    def ipv6_cidrs(self) -> tuple[str, ...]:
        """The IPv6 ranges."""
        return ("2001:db8::/56",) if self.has_ipv6 else ()

    @property
    def subnets(self) -> tuple[Subnet, ...]:
        """The subnets, tagged with their role for discovery."""
        return tuple(
            Subnet(
                id=f"subnet-{name}-{zone}",
                name=f"{name}-{zone}",
                availability_zone=f"{self.region}{zone}",
                cidr=f"10.0.{number}.0/24",
                ipv6_cidrs=(f"2001:db8:0:{number:x}::/64",) if self.has_ipv6 else (),
                tags={ROLES[name]: "1"},
            )
            for name, first in (("public", 0), ("private", 10))
            for number, zone in enumerate(("a", "b"), first)
        )
