"""What the rules of ELBv2 depend on, read from the backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.aws.answers import Answer
from testbed.aws.api_calls import internal
from testbed.aws.elbv2_action_refusals import Group
from testbed.aws.elbv2_refusals import Listener
from testbed.aws.upstream import Upstream, members


@dataclass(slots=True)
class Elbv2Lookups:
    """Reads balancers, listeners, rules and groups. What no call changes unseen is read once."""

    upstream: Upstream
    _listeners: dict[str, Listener] = field(init=False, default_factory=dict)
    _policies: frozenset[str] = field(init=False, default=frozenset())
    _rules: dict[str, int] = field(init=False, default_factory=dict)

    def forget(self) -> None:
        """Forget listeners and numbers of rules, after a call that changes them.

        All of them: the number of rules is kept by balancer, and a deleted listener no longer says whose it
        was.
        """
        self._listeners.clear()
        self._rules.clear()

    def count_rule(self, balancer: str) -> None:
        """Count a rule that was created."""
        self._rules[balancer] = self._rules.get(balancer, 0) + 1

    async def policies(self) -> frozenset[str]:
        """Return the names of all security policies."""
        if not self._policies:
            listed = await self._listed("DescribeSSLPolicies", {}, "SslPolicies")
            self._policies = frozenset(policy["Name"] for policy in listed)
        return self._policies

    async def group(self, arn: str) -> Group | None:
        """Return a target group; None if there is none of this ARN."""
        listed = await self._listed("DescribeTargetGroups", {"TargetGroupArns.member.1": arn}, "TargetGroups")
        if not listed:
            return None
        found = listed[0]
        return Group(
            arn,
            found.get("Protocol") or "",
            found.get("ProtocolVersion") or "",
            found.get("TargetType") or "instance",
            tuple(members(found.get("LoadBalancerArns"))),
        )

    async def group_named(self, name: str) -> Answer | None:
        """Return the description of the group of a name; None if there is none."""
        return await self._found("DescribeTargetGroups", name)

    async def balancer_named(self, name: str) -> Answer | None:
        """Return the description of the balancer of a name; None if there is none."""
        return await self._found("DescribeLoadBalancers", name)

    async def zones(self, balancer: str) -> list[str] | None:
        """Return the zones of a balancer; None if there is none of this ARN."""
        found = await self.upstream.query(
            internal("elbv2"), "DescribeLoadBalancers", {"LoadBalancerArns.member.1": balancer}
        )
        if not found or not members(found.get("LoadBalancers")):
            return None
        described = members(found["LoadBalancers"])[0]
        return [zone["ZoneName"] for zone in members(described.get("AvailabilityZones"))]

    async def attributes(self, balancer: str) -> dict[str, str]:
        """Return the attributes of a balancer; {} if there is none of this ARN."""
        parameters = {"LoadBalancerArn": balancer}
        listed = await self._listed("DescribeLoadBalancerAttributes", parameters, "Attributes")
        return {attribute["Key"]: attribute["Value"] or "" for attribute in listed}

    async def listener(self, arn: str) -> Listener:
        """Return a listener, with empty fields if there is none of this ARN."""
        if arn not in self._listeners:
            listed = await self._listed("DescribeListeners", {"ListenerArns.member.1": arn}, "Listeners")
            if not listed:
                return Listener("", "", "")
            self._listeners[arn] = _listener(listed[0])
        return self._listeners[arn]

    async def listeners_of(self, balancer: str) -> list[Listener]:
        """Return the listeners of a balancer."""
        listed = await self._listed("DescribeListeners", {"LoadBalancerArn": balancer}, "Listeners")
        return [_listener(described) for described in listed]

    async def is_default(self, rule: str) -> bool | None:
        """Return True for a default rule; None if there is no rule of this ARN."""
        listed = await self._listed("DescribeRules", {"RuleArns.member.1": rule}, "Rules")
        return listed[0]["IsDefault"] == "true" if listed else None

    async def rule_count(self, balancer: str) -> int:
        """Return the number of a balancer's rules besides the default ones."""
        if balancer not in self._rules:
            count = 0
            for listener in await self.listeners_of(balancer):
                listed = await self._listed("DescribeRules", {"ListenerArn": listener.arn}, "Rules")
                count += sum(rule["IsDefault"] != "true" for rule in listed)
            self._rules[balancer] = count
        return self._rules[balancer]

    async def users_of(self, certificate: str) -> list[str]:
        """Return ARNs of the balancers whose listeners use a certificate."""
        users = []
        for balancer in await self._listed("DescribeLoadBalancers", {}, "LoadBalancers"):
            arn = balancer["LoadBalancerArn"]
            for listener in await self.listeners_of(arn):
                parameters = {"ListenerArn": listener.arn}
                listed = await self._listed("DescribeListenerCertificates", parameters, "Certificates")
                if any(entry["CertificateArn"] == certificate for entry in listed):
                    users.append(arn)
                    break
        return users

    async def _found(self, action: str, name: str) -> Answer | None:
        answer = await self.upstream.raw_query(internal("elbv2"), action, {"Names.member.1": name})
        return answer if answer.is_ok else None

    async def _listed(self, action: str, parameters: Mapping[str, str], field_name: str) -> list[Any]:
        found: list[Any] = []
        marker: dict[str, str] = {}
        while True:
            result = await self.upstream.query(internal("elbv2"), action, {**parameters, **marker})
            found += members((result or {}).get(field_name))
            following = (result or {}).get("NextMarker")
            if not following:
                return found
            marker = {"Marker": following}


def _listener(described: Mapping[str, Any]) -> Listener:
    return Listener(
        described["LoadBalancerArn"],
        described.get("Protocol") or "",
        str(described.get("Port") or ""),
        described["ListenerArn"],
    )
