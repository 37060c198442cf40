"""What a security group of a load balancer admits at a port of a listener, of a Service or a Gateway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from testbed.dated_releases import Release
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.stack import IpPermission


def inbound_permissions(
    protocol: str,
    port: int,
    cidrs: Iterable[str],
    prefix_lists: Iterable[str],
    release: Release,
    *,
    finds_path_mtu: bool,
) -> Iterator[IpPermission]:
    """Yield the permissions of a port, first those of CIDRs.

    Args:
        protocol: `tcp` or `udp`.
        port: of the listener.
        cidrs: of IPv4 and IPv6.
        prefix_lists: ids of prefix lists.
        release: of the controller.
        finds_path_mtu: admits also the ICMP messages by which path MTU discovery works.
    """
    for cidr in cidrs:
        yield _permission(cidr, protocol, port, port)
        if finds_path_mtu:
            yield _permission(cidr, *_packet_too_big(cidr, release))
    for item in prefix_lists:
        yield IpPermission(ip_protocol=protocol, from_port=port, to_port=port, prefix_list=item)


def _permission(cidr: str, protocol: str, from_port: int, to_port: int) -> IpPermission:
    is_ipv6 = ":" in cidr
    return IpPermission(
        ip_protocol=protocol,
        from_port=from_port,
        to_port=to_port,
        cidr=None if is_ipv6 else cidr,
        cidr_ipv6=cidr if is_ipv6 else None,
    )


def _packet_too_big(cidr: str, release: Release) -> tuple[str, int, int]:
    """Protocol, type and code of the ICMP message that a packet is too big."""
    if ":" in cidr:
        return "icmpv6", 2, 0
    return ("icmp", 3, 4) if release.has(Fact.ICMP_FRAGMENTATION_NEEDED) else ("icmp", 2, 3)
