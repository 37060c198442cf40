from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.aws.in_process import InProcessAws
from testbed.lb_controller.core.stack import NetworkingRule
from testbed.lb_controller.deploy.inbound_rules import CIDR, GROUP, InboundRule
from testbed.lb_controller.deploy.target_access import TargetAccess, consolidated, rules_of


def opened(*ports: int, source: str = "sg-lb") -> tuple[InboundRule, ...]:
    networking = [NetworkingRule(ports=tuple(("TCP", port) for port in ports), security_groups=(source,))]
    return rules_of(networking, ())


@pytest.fixture
def access() -> Iterator[TargetAccess]:
    with InProcessAws() as aws:
        ec2 = aws.clients.ec2
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        nodes = aws.own_security_group(vpc, "nodes")
        aws.own_security_group(vpc, "balancer", "sg-lb")
        ec2.create_tags(Resources=[nodes], Tags=[{"Key": "kubernetes.io/cluster/testbed", "Value": "owned"}])
        made = TargetAccess(ec2, "testbed", vpc)
        made.writes = aws.writes  # type: ignore[attr-defined]
        aws.writes.clear()
        yield made


def calls(access: TargetAccess) -> list[tuple[str, str, str]]:
    writes: list[Any] = access.writes  # type: ignore[attr-defined]
    found = [
        (
            one.action.removesuffix("SecurityGroupIngress"),
            one.parameters["IpPermissions.1.FromPort"],
            one.parameters["IpPermissions.1.ToPort"],
        )
        for one in writes
    ]
    writes.clear()
    return found


def test_the_ports_of_all_bindings_are_one_range(access: TargetAccess) -> None:
    access.reconcile("a", opened(8080))
    access.reconcile("b", opened(30080))
    assert calls(access) == [
        ("Authorize", "8080", "8080"),
        ("Authorize", "8080", "30080"),
        ("Revoke", "8080", "8080"),
    ]
    access.reconcile("a", ())
    assert calls(access) == [("Authorize", "30080", "30080"), ("Revoke", "8080", "30080")]


def test_nothing_is_revoked_while_the_rules_of_a_binding_are_not_known(access: TargetAccess) -> None:
    access.reconcile("a", opened(8080))
    calls(access)
    access.announce("b")
    access.reconcile("a", opened(9090))
    assert calls(access) == [("Authorize", "9090", "9090")]
    access.forget("b")
    access.reconcile("a", ())
    assert [one[0] for one in calls(access)] == ["Revoke"]


def test_rules_that_a_binding_has_already_take_no_call(access: TargetAccess) -> None:
    access.reconcile("a", opened(8080))
    calls(access)
    assert not access.would_change("a", opened(8080))
    assert access.would_change("a", opened(8081))
    access.reconcile("a", opened(8080))
    assert calls(access) == []


def test_a_port_by_name_is_the_number_that_its_targets_have() -> None:
    networking = [NetworkingRule(ports=(("TCP", "http"), ("UDP", None)), cidrs=("10.0.0.0/8",))]
    assert [
        (one.protocol, one.from_port, one.to_port, one.kind) for one in rules_of(networking, [81, 80])
    ] == [
        ("tcp", 80, 80, CIDR),
        ("tcp", 81, 81, CIDR),
        ("udp", 0, 65535, CIDR),
    ]


@given(
    st.lists(
        st.builds(
            InboundRule,
            protocol=st.sampled_from(["tcp", "udp"]),
            from_port=st.integers(1, 9),
            to_port=st.integers(10, 20),
            kind=st.sampled_from([GROUP, CIDR]),
            source=st.sampled_from(["one", "two"]),
        )
    )
)
def test_consolidation_keeps_every_port_open_and_one_range_a_group(rules: list[InboundRule]) -> None:
    kept = consolidated(rules)
    for rule in rules:
        assert any(
            (one.protocol, one.kind, one.source) == (rule.protocol, rule.kind, rule.source)
            and one.from_port <= rule.from_port
            and rule.to_port <= one.to_port
            for one in kept
        )
    ranges = [(one.protocol, one.source) for one in kept if one.kind == GROUP]
    assert len(ranges) == len(set(ranges))
