"""The zones of an NLB with the addresses that annotations choose (pkg/service/model_build_load_balancer.go).

The texts about IPv6 addresses and prefixes for source NAT are general knowledge, not recorded.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from testbed.lb_controller.core import go_text
from testbed.lb_controller.core.annotations import Annotations
from testbed.lb_controller.core.build_inputs import BuildError, Subnet
from testbed.lb_controller.core.frontend import DUALSTACK, INTERNAL, INTERNET_FACING
from testbed.lb_controller.core.stack import SubnetMapping

ON, OFF = "on", "off"
AUTO_ASSIGNED = "auto_assigned"
PREFIX_LENGTH = 80
"""Bits of a prefix for source NAT (ELBv2 API, SubnetMapping)."""
_ENABLE = "enable-prefix-for-ipv6-source-nat"
_PREFIXES = "source-nat-ipv6-prefixes"


def subnet_mappings(
    annotations: Annotations, chosen: Sequence[Subnet], scheme: str, address_type: str
) -> tuple[SubnetMapping, ...]:
    """The mappings of the chosen subnets, in their order.

    Raises:
        BuildError: addresses do not fit the scheme, the address type, or the subnets.
    """
    allocations = annotations.items("aws-load-balancer-eip-allocations")
    if allocations is not None:
        if scheme != INTERNET_FACING:
            raise BuildError("EIP allocations can only be set for internet facing load balancers")
        _check_count("EIP allocations", allocations, chosen)
    private = annotations.items("aws-load-balancer-private-ipv4-addresses")
    if private is not None:
        if scheme != INTERNAL:
            raise BuildError("private IPv4 addresses can only be set for internal load balancers")
        _check_count("private IPv4 addresses", private, chosen)
    ipv6 = annotations.items("aws-load-balancer-ipv6-addresses")
    if ipv6 is not None:
        if address_type != DUALSTACK:
            raise BuildError("IPv6 addresses can only be set for dualstack load balancers")
        _check_count("IPv6 addresses", ipv6, chosen)
    prefixes = _source_nat_prefixes(annotations, chosen)
    return tuple(
        SubnetMapping(
            subnet_id=subnet.id,
            allocation_id=allocations[index] if allocations else None,
            private_ipv4_address=_ipv4_in(subnet, private) if private else None,
            ipv6_address=_ipv6_in(subnet, ipv6) if ipv6 else None,
            source_nat_ipv6_prefix=prefixes[index] if prefixes else None,
        )
        for index, subnet in enumerate(chosen)
    )


def source_nat(annotations: Annotations, address_type: str) -> str:
    """`aws-load-balancer-enable-prefix-for-ipv6-source-nat`, on or off.

    Raises:
        BuildError: it is neither, or the NLB is not dualstack.
    """
    found = annotations.text(f"aws-load-balancer-{_ENABLE}")
    if found not in (None, ON, OFF):
        raise BuildError(f"Invalid {_ENABLE} value: {found}, valid are {go_text.bracketed((ON, OFF))}")
    if found == ON and address_type != DUALSTACK:
        raise BuildError(
            f"{_ENABLE} annotation is only applicable to Network Load Balancers using Dualstack IP address "
            "type."
        )
    return found or OFF


def _source_nat_prefixes(annotations: Annotations, chosen: Sequence[Subnet]) -> list[str] | None:
    prefixes = annotations.items(f"aws-load-balancer-{_PREFIXES}")
    if prefixes is None:
        return None
    if annotations.text(f"aws-load-balancer-{_ENABLE}") != ON:
        raise BuildError(f"{_PREFIXES} annotation is only applicable if {_ENABLE} annotation is set to {ON}.")
    if len(prefixes) != len(chosen):
        raise BuildError(
            f"Number of values in {_PREFIXES} ({len(prefixes)}) must match the number of subnets in the load "
            f"balancer ({len(chosen)}) if {_ENABLE} annotation value is set to {ON}."
        )
    for prefix, subnet in zip(prefixes, chosen, strict=True):
        if prefix != AUTO_ASSIGNED:
            _check_prefix(prefix, subnet)
    return prefixes


def _check_prefix(prefix: str, subnet: Subnet) -> None:
    try:
        network = ipaddress.IPv6Network(prefix)
    except ValueError:
        raise BuildError(f"Invalid value in {_PREFIXES}: {prefix}.") from None
    if network.prefixlen != PREFIX_LENGTH:
        raise BuildError(f"Prefix length must be {PREFIX_LENGTH}, but {network.prefixlen} is specified.")
    if not any(network.subnet_of(ipaddress.IPv6Network(cidr)) for cidr in subnet.ipv6_cidrs):
        ranges = go_text.bracketed(subnet.ipv6_cidrs)
        raise BuildError(f"{prefix} is not within the IPv6 CIDR ranges {ranges} of subnet {subnet.id}")


def _check_count(what: str, given: Sequence[str], chosen: Sequence[Subnet]) -> None:
    if len(given) != len(chosen):
        raise BuildError(f"count of {what} ({len(given)}) and subnets ({len(chosen)}) must match")


def _ipv4_in(subnet: Subnet, addresses: Sequence[str]) -> str:
    try:
        network = ipaddress.IPv4Network(subnet.cidr)
        inside = [text for text in addresses if ipaddress.IPv4Address(text) in network]
    except ValueError as error:
        raise BuildError(f"private IPv4 addresses must be valid IPv4 address: {error}") from None
    if len(inside) != 1:
        raise BuildError(f"expect one private IPv4 address configured for subnet: {subnet.id}")
    return inside[0]


def _ipv6_in(subnet: Subnet, addresses: Sequence[str]) -> str:
    try:
        networks = [ipaddress.IPv6Network(cidr) for cidr in subnet.ipv6_cidrs]
        inside = [text for text in addresses if any(ipaddress.IPv6Address(text) in one for one in networks)]
    except ValueError as error:
        raise BuildError(f"IPv6 addresses must be valid IPv6 address: {error}") from None
    if len(inside) != 1:
        raise BuildError(f"expect one IPv6 address configured for subnet: {subnet.id}")
    return inside[0]
