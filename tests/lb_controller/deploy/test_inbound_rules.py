from __future__ import annotations

from typing import Any

from testbed.lb_controller.core.stack import IpPermission
from testbed.lb_controller.deploy.inbound_rules import (
    CIDR,
    GROUP,
    PREFIX_LIST,
    TARGET_MARK,
    InboundRule,
    described,
    of_permission,
    reconcile,
)


class Recorder:
    """An EC2 client that keeps what it is asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[Any]]] = []

    def authorize_security_group_ingress(self, GroupId: str, IpPermissions: list[Any]) -> None:  # noqa: N803
        self.calls.append((f"authorize {GroupId}", IpPermissions))

    def revoke_security_group_ingress(self, GroupId: str, IpPermissions: list[Any]) -> None:  # noqa: N803
        self.calls.append((f"revoke {GroupId}", IpPermissions))


def rule(port: int, source: str = "0.0.0.0/0", kind: str = CIDR, description: str = "") -> InboundRule:
    return InboundRule(
        protocol="tcp", from_port=port, to_port=port, kind=kind, source=source, description=description
    )


def group(*rules: InboundRule) -> dict[str, Any]:
    return {"GroupId": "sg-1", "IpPermissions": [one.shape() for one in rules]}


def test_new_rules_are_authorized_in_one_call_before_old_ones_are_revoked() -> None:
    ec2: Any = Recorder()
    reconcile(ec2, group(rule(80), rule(81)), [rule(81), rule(9), rule(443)])
    (first, added), (second, gone) = ec2.calls
    assert (first, [one["FromPort"] for one in added]) == ("authorize sg-1", [443, 9])  # in the order of keys
    assert (second, [one["FromPort"] for one in gone]) == ("revoke sg-1", [80])


def test_what_stands_already_takes_no_call() -> None:
    ec2: Any = Recorder()
    reconcile(ec2, group(rule(80), rule(81)), [rule(81), rule(80)])
    assert ec2.calls == []


def test_only_marked_rules_are_revoked_from_a_group_of_others() -> None:
    ec2: Any = Recorder()
    mine = rule(8080, "sg-2", GROUP, TARGET_MARK)
    reconcile(ec2, group(rule(22), mine), [], mark=TARGET_MARK)
    assert [one["FromPort"] for one in ec2.calls[0][1]] == [8080]
    ec2.calls.clear()
    reconcile(ec2, group(rule(22), mine), [], mark=TARGET_MARK, only_add=True)
    assert ec2.calls == []


def test_a_permission_of_several_sources_is_several_rules() -> None:
    shape = {
        "IpPermissions": [
            {
                "IpProtocol": "tcp",
                "FromPort": 80,
                "ToPort": 80,
                "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
                "UserIdGroupPairs": [{"GroupId": "sg-2", "UserId": "1", "Description": "x"}],
            }
        ]
    }
    first, second = described(shape)
    assert (first.rule.kind, first.rule.source) == (CIDR, "10.0.0.0/8")
    assert (second.rule.kind, second.rule.source) == (GROUP, "sg-2")
    assert second.shape["UserIdGroupPairs"] == [{"GroupId": "sg-2", "UserId": "1", "Description": "x"}]


def test_a_permission_of_a_stack_has_one_source() -> None:
    ports = {"ip_protocol": "udp", "from_port": 1, "to_port": 2}
    made = of_permission(IpPermission(**ports, prefix_list="pl-1"))  # type: ignore[arg-type]
    assert (made.kind, made.source, made.from_port, made.to_port) == (PREFIX_LIST, "pl-1", 1, 2)
    assert of_permission(IpPermission(**ports, cidr_ipv6="::/0")).shape()["Ipv6Ranges"] == [  # type: ignore[arg-type]
        {"CidrIpv6": "::/0", "Description": ""}
    ]
