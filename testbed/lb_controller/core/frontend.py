"""The part of a stack that faces clients: the load balancer with its security groups."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.lb_controller.core.stack import LoadBalancer, Reference, SecurityGroup

INTERNET_FACING = "internet-facing"
INTERNAL = "internal"
IPV4 = "ipv4"
DUALSTACK = "dualstack"
DUALSTACK_WITHOUT_PUBLIC_IPV4 = "dualstack-without-public-ipv4"
LONGEST_NAME = 32
"""Characters of the longest name of a load balancer (ELBv2 API)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontend:
    """The load balancer, the security group made for it, and the group that its targets admit."""

    load_balancer: LoadBalancer
    security_group: SecurityGroup | None = None
    backend_security_group: Reference | None = None
