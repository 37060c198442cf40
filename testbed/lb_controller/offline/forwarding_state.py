"""What forwards to which targets, as calls to AWS change it one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from testbed.aws.in_process import Write
from testbed.lb_controller.deploy.inbound_rules import TARGET_MARK
from testbed.lb_controller.offline.rule_requests import Requests

_TARGET = re.compile(r"Targets\.member\.\d+\.Id$")
_RESOURCES = ("LoadBalancerArn", "ListenerArn", "RuleArn", "TargetGroupArn", "ResourceArns.member.1")
_ACTION = re.compile(r"(?:Default)?Actions\.member\.(.+)")
_PRIORITIES = "RulePriorities.member."
_GROUPS = ("GroupId", "GroupName", "ResourceId.1")


@dataclass
class Balancer:
    """A load balancer: its name and type, and the tag of its stack."""

    name: str
    type: str
    stack: str


@dataclass
class Forwarding:
    """What forwards: a listener by its default action, or a rule.

    Attributes:
        settings: of a listener, those of its TLS.
        other: its actions without the target groups: what it answers itself, or does before it forwards.
        requests: of a rule, those that it is for.
        priority: of a rule; the smallest counts first.
        listener: of a rule, the ARN of its listener.
    """

    balancer: str
    name: str
    groups: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)
    other: tuple[tuple[str, str], ...] = ()
    requests: Requests = field(default_factory=Requests)
    priority: int = 0
    listener: str = ""

    def point(self, parameters: Mapping[str, str]) -> None:
        """Take the actions of a call, if it names any."""
        groups, other = forwards(parameters), other_actions(parameters)
        if groups or other:
            self.groups, self.other = groups, other


@dataclass
class ForwardingState:
    """An account's balancers, listeners, rules and target groups by ARN, and the targets of the groups."""

    balancers: dict[str, Balancer] = field(default_factory=dict)
    listeners: dict[str, Forwarding] = field(default_factory=dict)
    rules: dict[str, Forwarding] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    targets: dict[str, set[str]] = field(default_factory=dict)
    security_groups: dict[str, str] = field(default_factory=dict)

    def forwarding(self) -> Iterator[Forwarding]:
        """Yield all listeners and rules."""
        yield from self.listeners.values()
        yield from self.rules.values()

    def targets_of(self, groups: Iterable[str]) -> set[str]:
        """The targets of some target groups."""
        return {target for group in groups for target in self.targets.get(group, ())}

    def subject(self, write: Write) -> str:
        """What a call is about, by a name that a person knows."""
        parameters = write.parameters
        if write.action == "CreateRule":
            return f"a rule of {self._named(parameters['ListenerArn'])}"
        if write.action == "CreateListener":
            balancer = self._named(parameters["LoadBalancerArn"])
            return f"listener {_protocol(parameters)} of {balancer}"
        if "Name" in parameters:
            return parameters["Name"]
        for key in ("RulePriorities.member.1.RuleArn", *_RESOURCES):
            if key in parameters:
                return self._named(parameters[key])
        if TARGET_MARK in parameters.values():
            return "the nodes"
        for key in _GROUPS:
            if key in parameters:
                return self.security_groups.get(parameters[key], parameters[key])
        return ""

    def play(self, write: Write) -> None:
        """Let a call have its effect; one that was refused has none."""
        if not write.refusal:
            self._play(write.action, write.created, write.parameters)

    def _play(self, action: str, created: str, parameters: Mapping[str, str]) -> None:
        match action:
            case "CreateLoadBalancer":
                kind = parameters.get("Type", "application")
                self.balancers[created] = Balancer(parameters["Name"], kind, _stack(parameters))
            case "CreateListener":
                balancer, name = parameters["LoadBalancerArn"], f"listener {_protocol(parameters)}"
                self.listeners[created] = Forwarding(
                    balancer, name, forwards(parameters), _settings(parameters), other_actions(parameters)
                )
            case "CreateRule":
                of = self.listeners.get(parameters["ListenerArn"])
                name = f"a rule of {of.name}" if of else "a rule"
                self.rules[created] = Forwarding(
                    of.balancer if of else "",
                    name,
                    forwards(parameters),
                    other=other_actions(parameters),
                    requests=Requests.of(parameters) or Requests(),
                    priority=int(parameters.get("Priority", 0)),
                    listener=parameters["ListenerArn"],
                )
            case "CreateTargetGroup":
                self.groups[created] = parameters["Name"]
            case "CreateSecurityGroup":
                self.security_groups[created] = parameters["GroupName"]
            case "ModifyListener":
                if known := self.listeners.get(parameters["ListenerArn"]):
                    known.point(parameters)
                    known.settings |= _settings(parameters)
                    known.name = f"listener {_protocol(parameters)}"
            case "ModifyRule":
                if known := self.rules.get(parameters["RuleArn"]):
                    known.point(parameters)
                    known.requests = Requests.of(parameters) or known.requests
            case "SetRulePriorities":
                for arn, priority in priorities(parameters).items():
                    if known := self.rules.get(arn):
                        known.priority = priority
            case "RegisterTargets":
                self.targets.setdefault(parameters["TargetGroupArn"], set()).update(targets(parameters))
            case "DeregisterTargets":
                gone = targets(parameters)
                self.targets.setdefault(parameters["TargetGroupArn"], set()).difference_update(gone)
            case "DeleteRule":
                self.rules.pop(parameters["RuleArn"], None)
            case "DeleteListener":
                self._delete_listener(parameters["ListenerArn"])
            case "DeleteLoadBalancer":
                arn = parameters["LoadBalancerArn"]
                self.balancers.pop(arn, None)
                for listener in [key for key, one in self.listeners.items() if one.balancer == arn]:
                    self._delete_listener(listener)

    def _delete_listener(self, arn: str) -> None:
        self.listeners.pop(arn, None)
        # The ARN of a rule is that of its listener with another word and one more part.
        beginning = arn.replace(":listener/", ":listener-rule/") + "/"
        for rule in [key for key in self.rules if key.startswith(beginning)]:
            del self.rules[rule]

    def _named(self, arn: str) -> str:
        if arn in self.balancers:
            return self.balancers[arn].name
        if arn in self.groups:
            return self.groups[arn]
        known = self.listeners.get(arn) or self.rules.get(arn)
        if known is None:
            return arn
        return f"{known.name} of {self._named(known.balancer)}"


def forwards(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """The target groups to which the actions of a call forward; those of weight 0 get nothing."""
    ending = "TargetGroupArn"
    return tuple(
        arn
        for key, arn in parameters.items()
        if key.endswith(f".{ending}") and parameters.get(key.removesuffix(ending) + "Weight") != "0"
    )


def other_actions(parameters: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The actions of a call without the target groups to which they forward; empty if it names none."""
    return tuple(
        sorted(
            (match[1], value)
            for key, value in parameters.items()
            if (match := _ACTION.fullmatch(key)) and "TargetGroup" not in match[1]
        )
    )


def priorities(parameters: Mapping[str, str]) -> dict[str, int]:
    """The priorities that `SetRulePriorities` gives, by the ARN of the rule."""
    return {
        arn: int(parameters[key.removesuffix("RuleArn") + "Priority"])
        for key, arn in parameters.items()
        if key.startswith(_PRIORITIES) and key.endswith("RuleArn")
    }


def targets(parameters: Mapping[str, str]) -> list[str]:
    """The targets that a call names, `address:port`."""
    return [
        f"{value}:{parameters.get(key.removesuffix('Id') + 'Port', '')}"
        for key, value in parameters.items()
        if _TARGET.search(key)
    ]


def _protocol(parameters: Mapping[str, str]) -> str:
    return f"{parameters.get('Protocol', '')} {parameters.get('Port', '')}".strip()


def _settings(parameters: Mapping[str, str]) -> dict[str, str]:
    names = {
        "protocol": "Protocol",
        "certificate": "Certificates.member.1.CertificateArn",
        "TLS policy": "SslPolicy",
    }
    return {name: parameters.get(key, "") for name, key in names.items()}


def _stack(parameters: Mapping[str, str]) -> str:
    for key, value in parameters.items():
        if key.endswith(".Key") and value.endswith(".k8s.aws/stack"):
            return parameters[key.removesuffix("Key") + "Value"]
    return ""
