"""The rules by which targets admit their load balancers: inbound rules of the nodes' security group.

The rules of all bindings of a cluster are one set: of one source and one protocol they become one range, from
the lowest port of any binding to the highest. Source: pkg/targetgroupbinding/networking_manager.go of the AWS
Load Balancer Controller, and its recorded calls.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from testbed.lb_controller.core.stack import NetworkingRule, Ref
from testbed.lb_controller.deploy import inbound_rules
from testbed.lb_controller.deploy.inbound_rules import CIDR, CIDR_IPV6, GROUP, TARGET_MARK, InboundRule

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_ALL_PORTS = (0, 65535)


def rules_of(networking: Iterable[NetworkingRule], numbers: Iterable[int]) -> tuple[InboundRule, ...]:
    """The rules of one binding.

    Args:
        networking: those of the stack, with ids for all security groups.
        numbers: the ports of its targets, for a container port that is given by name.
    """
    return tuple(
        InboundRule(
            protocol=protocol.lower(),
            from_port=first,
            to_port=last,
            kind=kind,
            source=source,
            description=TARGET_MARK,
        )
        for rule in networking
        for kind, source in _sources(rule)
        for protocol, port in rule.ports
        for first, last in _ranges(port, numbers)
    )


def _sources(rule: NetworkingRule) -> list[tuple[str, str]]:
    groups = [(GROUP, one) for one in rule.security_groups if not isinstance(one, Ref)]
    return groups + [(CIDR_IPV6 if ":" in cidr else CIDR, cidr) for cidr in rule.cidrs]


def _ranges(port: int | str | None, numbers: Iterable[int]) -> list[tuple[int, int]]:
    if port is None:
        return [_ALL_PORTS]
    if isinstance(port, int):
        return [(port, port)]
    return [(number, number) for number in sorted(set(numbers))]


def consolidated(rules: Iterable[InboundRule]) -> list[InboundRule]:
    """One range for each security group and protocol; rules for addresses stay as they are."""
    kept: list[InboundRule] = []
    ranges: dict[tuple[str, str], InboundRule] = {}
    for rule in rules:
        if rule.kind != GROUP:
            kept.append(rule)
            continue
        key = rule.protocol, rule.source
        known = ranges.get(key, rule)
        ranges[key] = replace(
            known,
            from_port=min(known.from_port, rule.from_port),
            to_port=max(known.to_port, rule.to_port),
        )
    return [*ranges.values(), *kept]


@dataclass
class TargetAccess:
    """The rules of all bindings of a cluster, in the security group of its nodes.

    Without a security group that has the tag `kubernetes.io/cluster/<name>` there are none: nothing filters.
    """

    ec2: EC2Client
    cluster_name: str
    vpc_id: str
    is_restricted: bool = True
    _rules: dict[Hashable, tuple[InboundRule, ...] | None] = field(init=False, default_factory=dict)
    _refused: set[Hashable] = field(init=False, default_factory=set)
    # The controllers of Ingresses and of Services share it, and each call depends on all bindings.
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def announce(self, binding: Hashable) -> None:
        """A binding exists; nothing is revoked until its rules are known."""
        with self._lock:
            self._rules.setdefault(binding, None)

    def forget(self, binding: Hashable) -> None:
        """A binding is gone."""
        with self._lock:
            self._rules.pop(binding, None)

    def would_change(self, binding: Hashable, rules: tuple[InboundRule, ...]) -> bool:
        """True if the rules of a binding change the range that targets admit."""
        with self._lock:
            with_it = {**self._rules, binding: rules}
            return _keys(self._all(with_it)) != _keys(self._all(self._rules))

    def reconcile(self, binding: Hashable, rules: tuple[InboundRule, ...]) -> None:
        """Let targets admit what a binding needs; no rules for a binding that goes.

        Raises:
            ClientError: AWS refused a call.
        """
        with self._lock:
            self._reconcile(binding, rules)

    def _reconcile(self, binding: Hashable, rules: tuple[InboundRule, ...]) -> None:
        if self._rules.get(binding) == rules and binding not in self._refused:
            return
        self._rules[binding] = rules
        is_complete = None not in self._rules.values()
        wanted = self._all(self._rules)
        self._refused.add(binding)
        for group in self._node_groups():
            inbound_rules.reconcile(self.ec2, group, wanted, mark=TARGET_MARK, only_add=not is_complete)
        self._refused.discard(binding)

    def _all(self, rules: Mapping[Hashable, tuple[InboundRule, ...] | None]) -> list[InboundRule]:
        every = [rule for known in rules.values() for rule in known or ()]
        return consolidated(every) if self.is_restricted else every

    def _node_groups(self) -> list[Mapping[str, Any]]:
        filters: list[Any] = [
            {"Name": f"tag:kubernetes.io/cluster/{self.cluster_name}", "Values": ["owned", "shared"]},
            {"Name": "vpc-id", "Values": [self.vpc_id]},
        ]
        return [*self.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]]


def _keys(rules: Iterable[InboundRule]) -> set[str]:
    return {rule.key for rule in rules}
