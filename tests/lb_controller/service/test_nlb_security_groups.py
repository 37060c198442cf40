from __future__ import annotations

from typing import Any

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ControllerOptions,
    ExistingLoadBalancer,
)
from testbed.lb_controller.core.stack import MANAGED_SECURITY_GROUP_ID, Kind, Ref
from testbed.lb_controller.service.nlb_security_groups import security_groups_of, source_ranges
from tests.lb_controller.examples import cluster, service

OWN = Ref(Kind.SECURITY_GROUP, MANAGED_SECURITY_GROUP_ID)


def groups(
    options: ControllerOptions = ControllerOptions(),  # noqa: B008 frozen
    existing: ExistingLoadBalancer | None = None,
    address_type: str = "ipv4",
    spec: dict[str, Any] | None = None,
    **annotations: str,
) -> Any:
    item = service(kind="LoadBalancer", spec=spec, **annotations)
    return security_groups_of(item, address_type, cluster(), options, existing, {})


def test_an_nlb_gets_a_group_that_admits_its_source_ranges() -> None:
    attached, managed, backend = groups(spec={"loadBalancerSourceRanges": ["10.0.0.0/8"]})

    assert (attached, backend) == ((OWN, "sg-backend"), "sg-backend")
    assert [(one.ip_protocol, one.from_port, one.cidr) for one in managed.ingress] == [
        ("tcp", 80, "10.0.0.0/8")
    ]


def test_before_v2_6_and_with_the_annotation_an_nlb_has_none() -> None:
    assert groups(ControllerOptions(release=LB_CONTROLLER_RELEASES.oldest)) == ((), None, None)
    assert groups(disable_nlb_sg="true") == ((), None, None)


def test_an_nlb_that_was_made_without_groups_never_gets_any() -> None:
    standing = ExistingLoadBalancer(arn="nlb", scheme="internal", type="network")

    assert groups(existing=standing) == ((), None, None)


def test_an_ipv6_range_needs_a_dualstack_nlb() -> None:
    ranges = {"loadBalancerSourceRanges": ["fd00::/8"]}

    _, managed, _ = groups(address_type="dualstack", spec=ranges)

    assert [one.cidr_ipv6 for one in managed.ingress] == ["fd00::/8"]
    with pytest.raises(BuildError, match="unsupported v6 cidr fd00::/8 when lb is not dualstack"):
        groups(spec=ranges)


def test_the_ranges_of_the_spec_win_over_the_annotation() -> None:
    item = service(kind="LoadBalancer", spec={"loadBalancerSourceRanges": ["10.0.0.0/8"]})
    item["metadata"]["annotations"]["service.beta.kubernetes.io/load-balancer-source-ranges"] = (
        "192.168.0.0/16"
    )

    assert source_ranges(item) == ("10.0.0.0/8",)
    del item["spec"]["loadBalancerSourceRanges"]
    assert source_ranges(item) == ("192.168.0.0/16",)


@pytest.mark.parametrize(
    ("release", "message"), [("v2.13.4", ("icmp", 2, 3)), ("v3.5.0", ("icmp", 3, 4))], ids=str
)
def test_path_mtu_discovery_admits_the_right_icmp_message_since_v2_14(
    release: str, message: tuple[str, int, int]
) -> None:
    options = ControllerOptions(release=LB_CONTROLLER_RELEASES[release])

    _, managed, _ = groups(options, enable_icmp_for_path_mtu_discovery="on")
    _, without, _ = groups(options, enable_icmp_for_path_mtu_discovery="off")

    admitted = [(one.ip_protocol, one.from_port, one.to_port) for one in managed.ingress]
    assert admitted == [("tcp", 80, 80), message]
    assert [one.ip_protocol for one in without.ingress] == ["tcp"]


def test_each_range_of_a_dualstack_nlb_gets_the_icmp_message_of_its_family() -> None:
    _, managed, _ = groups(address_type="dualstack", enable_icmp_for_path_mtu_discovery="on")
    assert [one.ip_protocol for one in managed.ingress] == ["tcp", "icmp", "tcp", "icmpv6"]
