from __future__ import annotations

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.inbound_permissions import inbound_permissions

CIDRS, LISTS = ("10.0.0.0/8", "2001:db8::/32"), ("pl-1",)


@pytest.mark.parametrize(("tag", "icmp"), [("v2.13.4", ("icmp", 2, 3)), ("v3.5.0", ("icmp", 3, 4))])
def test_each_source_is_admitted_at_the_port_and_with_its_icmp_messages(
    tag: str, icmp: tuple[str, int, int]
) -> None:
    release = LB_CONTROLLER_RELEASES[tag]
    plain = [*inbound_permissions("tcp", 443, CIDRS, LISTS, release, finds_path_mtu=False)]
    assert [(one.cidr, one.cidr_ipv6, one.prefix_list) for one in plain] == [
        ("10.0.0.0/8", None, None),
        (None, "2001:db8::/32", None),
        (None, None, "pl-1"),
    ]
    assert {(one.ip_protocol, one.from_port, one.to_port) for one in plain} == {("tcp", 443, 443)}
    more = [*inbound_permissions("tcp", 443, CIDRS, LISTS, release, finds_path_mtu=True)]
    assert [(one.ip_protocol, one.from_port, one.to_port) for one in more if one not in plain] == [
        icmp,
        ("icmpv6", 2, 0),
    ]
