"""The inbound rules of a security group: what to authorize and what to revoke.

One rule has one source; EC2 describes several sources of the same ports as one permission. New rules are
authorized before old ones are revoked, each in one call. Source: pkg/networking/security_group_{info,manager,
reconciler}.go of the AWS Load Balancer Controller, and its recorded calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from testbed.lb_controller.core.stack import IpPermission

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

TARGET_MARK = "elbv2.k8s.aws/targetGroupBinding=shared"
"""The description of rules for targets: the controller revokes no other rule of a node's security group."""

_SOURCES = {
    # list of a permission: (field with the source, its name in the order of rules)
    "IpRanges": ("CidrIp", "IpRange"),
    "Ipv6Ranges": ("CidrIpv6", "Ipv6Range"),
    "PrefixListIds": ("PrefixListId", "PrefixListId"),
    "UserIdGroupPairs": ("GroupId", "UserIdGroupPair"),
}
CIDR, CIDR_IPV6, PREFIX_LIST, GROUP = _SOURCES


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRule:
    """A rule; `kind` is the list of the API that `source` belongs to, e.g. `IpRanges`."""

    protocol: str
    from_port: int
    to_port: int
    kind: str
    source: str
    description: str = ""

    @property
    def key(self) -> str:
        """The identity of the rule, without its description; calls list rules in the order of their keys."""
        ports = f"IpProtocol: {self.protocol}, FromPort: {self.from_port}, ToPort: {self.to_port}"
        return f"{ports}, {_SOURCES[self.kind][1]}: {self.source}"

    def shape(self) -> dict[str, Any]:
        """The rule as AuthorizeSecurityGroupIngress takes it."""
        source = {_SOURCES[self.kind][0]: self.source, "Description": self.description}
        ports = {"IpProtocol": self.protocol, "FromPort": self.from_port, "ToPort": self.to_port}
        return {**ports, self.kind: [source]}


@dataclass(frozen=True, slots=True)
class DescribedRule:
    """A rule that stands, with the shape in which EC2 described it."""

    rule: InboundRule
    shape: Mapping[str, Any]


def of_permission(permission: IpPermission) -> InboundRule:
    """The rule of a permission of a stack."""
    kind, source = next(
        (kind, source)
        for kind, source in (
            (CIDR, permission.cidr),
            (CIDR_IPV6, permission.cidr_ipv6),
            (PREFIX_LIST, permission.prefix_list),
        )
        if source is not None
    )
    return InboundRule(
        protocol=permission.ip_protocol,
        from_port=permission.from_port,
        to_port=permission.to_port,
        kind=kind,
        source=source,
    )


def described(group: Mapping[str, Any]) -> Iterator[DescribedRule]:
    """Yield the rules of a described security group, each with one source."""
    for permission in group.get("IpPermissions") or ():
        ports = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
        for kind, (field, _) in _SOURCES.items():
            for source in permission.get(kind) or ():
                rule = InboundRule(
                    protocol=permission["IpProtocol"],
                    from_port=int(permission.get("FromPort", 0)),
                    to_port=int(permission.get("ToPort", 0)),
                    kind=kind,
                    source=source.get(field, ""),
                    description=source.get("Description", ""),
                )
                yield DescribedRule(rule, {**ports, kind: [source]})


def reconcile(
    ec2: EC2Client,
    group: Mapping[str, Any],
    wanted: Iterable[InboundRule],
    *,
    mark: str | None = None,
    only_add: bool = False,
) -> None:
    """Make the inbound rules of a described security group equal to the wanted ones.

    Args:
        ec2: the client.
        group: the group as DescribeSecurityGroups returns it.
        wanted: the rules.
        mark: the description of the rules that may be revoked; None for all.
        only_add: True to revoke nothing.

    Raises:
        ClientError: AWS refused a call.
    """
    have = {one.rule.key: one for one in described(group)}
    want = {rule.key: rule for rule in wanted}
    missing: list[Any] = [want[key].shape() for key in sorted(want.keys() - have.keys())]
    extra: list[Any] = [
        have[key].shape
        for key in sorted(have.keys() - want.keys())
        if mark is None or have[key].rule.description == mark
    ]
    if missing:
        ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=missing)
    if extra and not only_add:
        ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=extra)
