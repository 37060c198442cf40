"""Addresses and prefixes that a Service chooses for its NLB."""

from __future__ import annotations

import pytest

from testbed.lb_controller.core.annotations import of_service
from testbed.lb_controller.core.build_inputs import BuildError, Subnet
from testbed.lb_controller.core.stack import SubnetMapping
from testbed.lb_controller.service import nlb_addresses
from tests.lb_controller.examples import service

SUBNETS = (
    Subnet(id="subnet-a", cidr="10.0.0.0/24", ipv6_cidrs=("2001:db8:0:a::/64",)),
    Subnet(id="subnet-c", cidr="10.0.1.0/24", ipv6_cidrs=("2001:db8:0:c::/64",)),
)
ON = {"enable_prefix_for_ipv6_source_nat": "on"}


def mapped(
    scheme: str = "internal", address_type: str = "dualstack", **annotations: str
) -> tuple[SubnetMapping, ...]:
    item = of_service(service(kind="LoadBalancer", **annotations))
    return nlb_addresses.subnet_mappings(item, SUBNETS, scheme, address_type)


def test_without_annotations_a_zone_has_a_subnet_only() -> None:
    assert mapped() == (SubnetMapping(subnet_id="subnet-a"), SubnetMapping(subnet_id="subnet-c"))


def test_allocations_are_given_in_order_and_addresses_to_the_subnet_that_has_them() -> None:
    public = mapped("internet-facing", eip_allocations="eip-1,eip-2")
    private = mapped(private_ipv4_addresses="10.0.1.5,10.0.0.5")
    ipv6 = mapped(ipv6_addresses="2001:db8:0:c::5,2001:db8:0:a::5")

    assert [one.allocation_id for one in public] == ["eip-1", "eip-2"]
    assert [one.private_ipv4_address for one in private] == ["10.0.0.5", "10.0.1.5"]
    assert [one.ipv6_address for one in ipv6] == ["2001:db8:0:a::5", "2001:db8:0:c::5"]


def test_prefixes_for_source_nat_are_given_in_order() -> None:
    found = mapped(source_nat_ipv6_prefixes="auto_assigned,2001:db8:0:c:1::/80", **ON)
    assert [one.source_nat_ipv6_prefix for one in found] == ["auto_assigned", "2001:db8:0:c:1::/80"]


@pytest.mark.parametrize(
    ("annotations", "text"),
    [
        (
            {"eip_allocations": "eip-1,eip-2"},
            "EIP allocations can only be set for internet facing load balancers",
        ),
        (
            {"private_ipv4_addresses": "10.0.0.5"},
            "count of private IPv4 addresses (1) and subnets (2) must match",
        ),
        (
            {"private_ipv4_addresses": "10.0.0.5,10.0.0.6"},
            "expect one private IPv4 address configured for subnet: subnet-a",
        ),
        (
            {"ipv6_addresses": "2001:db8:0:a::5,2001:db8:0:a::6"},
            "expect one IPv6 address configured for subnet: subnet-a",
        ),
        ({"ipv6_addresses": "10.0.0.5,x"}, "IPv6 addresses must be valid IPv6 address"),
        ({"source_nat_ipv6_prefixes": "auto_assigned,auto_assigned"}, "is only applicable if"),
        ({"source_nat_ipv6_prefixes": "auto_assigned", **ON}, "(1) must match the number of subnets"),
        ({"source_nat_ipv6_prefixes": "auto_assigned,x", **ON}, "Invalid value in"),
        (
            {"source_nat_ipv6_prefixes": "auto_assigned,2001:db8:0:c::/64", **ON},
            "Prefix length must be 80, but 64 is specified.",
        ),
        ({"source_nat_ipv6_prefixes": "auto_assigned,2001:db8:0:d:1::/80", **ON}, "is not within"),
    ],
)
def test_addresses_that_do_not_fit_are_refused(annotations: dict[str, str], text: str) -> None:
    with pytest.raises(BuildError) as refused:
        mapped(**annotations)
    assert text in str(refused.value)


def test_ipv6_addresses_and_source_nat_need_a_dualstack_nlb() -> None:
    with pytest.raises(BuildError, match="only be set for dualstack"):
        mapped(address_type="ipv4", ipv6_addresses="2001:db8:0:a::5,2001:db8:0:c::5")
    wanted = of_service(service(kind="LoadBalancer", **ON))
    assert nlb_addresses.source_nat(wanted, "dualstack") == "on"
    with pytest.raises(BuildError, match="only applicable to Network Load Balancers using Dualstack"):
        nlb_addresses.source_nat(wanted, "ipv4")
    assert nlb_addresses.source_nat(of_service(service()), "ipv4") == "off"
    with pytest.raises(BuildError, match="Invalid enable-prefix-for-ipv6-source-nat value: maybe"):
        nlb_addresses.source_nat(of_service(service(enable_prefix_for_ipv6_source_nat="maybe")), "dualstack")
