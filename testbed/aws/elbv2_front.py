"""ELBv2 in front of the backend: AWS's rules and limits, states of new balancers, health of targets."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.aws import elbv2_rules, service_models, target_health
from testbed.aws.answers import Answer, Refusal, refused
from testbed.aws.calls import Call
from testbed.aws.elbv2_rules import Listener
from testbed.aws.upstream import Upstream, members
from testbed.clock import Clock
from testbed.settings import PRODUCTION

Health = list[dict[str, Any]]
TargetHealth = Callable[[str], Health | Awaitable[Health]]
"""TargetHealthDescriptions of a target group by its ARN, as the health checks know them; those may be in
another process."""

_FORGET = frozenset({"ModifyListener", "DeleteListener", "DeleteLoadBalancer", "DeleteRule"})
_CHECKED = _FORGET | {
    "CreateRule",
    "ModifyRule",
    "CreateListener",
    "CreateTargetGroup",
    "ModifyTargetGroup",
    "ModifyLoadBalancerAttributes",
    "ModifyTargetGroupAttributes",
    "ModifyListenerAttributes",
}
_CREATED = re.compile(rb"<LoadBalancerArn>([^<]+)</LoadBalancerArn>")
_MEMBER = re.compile(rb"<member>(?:(?!<member>).)*?<LoadBalancerArn>.*?</State>", re.DOTALL)
_STATE = re.compile(rb"(<State>\s*<Code>)[a-z_]+(</Code>)")


@dataclass(slots=True)
class Elbv2Front:
    """Answers or forwards the calls of ELBv2. Belongs to one loop.

    What never changes, or only by calls that pass here, is asked of the backend once.
    """

    upstream: Upstream
    clock: Clock
    target_health: TargetHealth
    _lock: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)
    _versions: dict[str, str] = field(init=False, default_factory=dict)
    _listeners: dict[str, Listener] = field(init=False, default_factory=dict)
    _policies: frozenset[str] = field(init=False, default=frozenset())
    _rules: dict[str, int] = field(init=False, default_factory=dict)
    _created: dict[str, float] = field(init=False, default_factory=dict)

    async def answer(self, call: Call) -> tuple[Answer, str]:
        """The answer and what the journal says of the call.

        Raises:
            Unavailable: the backend does not answer.
        """
        required = service_models.required("elbv2", call.operation)
        if malformed := elbv2_rules.refused_form(call.form, call.operation, required):
            return refused("elbv2", malformed), ""
        match call.operation:
            case "DescribeTargetHealth":
                return await self._describe_health(call), ""
            case "DescribeLoadBalancers":
                return self._with_states(await self.upstream.forward(call)), ""
            case "CreateLoadBalancer":
                return self._created_now(await self.upstream.forward(call)), _summary(call.form)
            case operation if operation in _CHECKED:
                async with self._lock:
                    return await self._checked(call), _summary(call.form)
        return await self.upstream.forward(call), _summary(call.form)

    async def _checked(self, call: Call) -> Answer:
        refusal = await self._refusal(call)
        if refusal:
            return refused("elbv2", refusal)
        answer = await self.upstream.forward(call)
        if answer.is_ok and call.operation in _FORGET:
            self._listeners.clear()
            self._rules.clear()
        elif answer.is_ok and call.operation == "CreateRule":
            balancer = (await self._listener(call, call.form["ListenerArn"])).load_balancer
            self._rules[balancer] = self._rules.get(balancer, 0) + 1
        return answer

    async def _refusal(self, call: Call) -> Refusal | None:
        """Why AWS refuses the call; what does not exist is the backend's to refuse."""
        form = call.form
        match call.operation:
            case "CreateRule" | "ModifyRule":
                listener = form.get("ListenerArn") or elbv2_rules.listener_of_rule(form.get("RuleArn", ""))
                found = await self._listener(call, listener)
                refusal = elbv2_rules.refused_conditions(form) or await self._refused_groups(
                    call, found.protocol
                )
                if refusal or call.operation == "ModifyRule":
                    return refusal
                return elbv2_rules.refused_count(await self._rule_count(call, found.load_balancer))
            case "CreateListener":
                balancer = form.get("LoadBalancerArn", "")
                others = await self._listeners_of(call, balancer)
                return (
                    elbv2_rules.refused_protocol(form, balancer)
                    or elbv2_rules.refused_listener(form, balancer, others)
                    or await self._refused_policy(call)
                    or await self._refused_groups(call, form.get("Protocol", ""))
                )
            case "ModifyListener":
                known = await self._listener(call, form.get("ListenerArn", ""))
                protocol = form.get("Protocol") or known.protocol
                return await self._refused_policy(call) or await self._refused_groups(call, protocol)
            case "CreateTargetGroup":
                version = _version(form.get("Protocol"), form)
                return elbv2_rules.refused_numbers(form) or elbv2_rules.refused_matcher(form, version)
            case "ModifyTargetGroup":
                version = await self._version(call, form["TargetGroupArn"])
                return elbv2_rules.refused_numbers(form) or elbv2_rules.refused_matcher(form, version)
            case "ModifyLoadBalancerAttributes" | "ModifyTargetGroupAttributes" | "ModifyListenerAttributes":
                return elbv2_rules.refused_numbers(form)
            case "DeleteLoadBalancer":
                balancer = form.get("LoadBalancerArn", "")
                described = await self.upstream.query(
                    call, "DescribeLoadBalancerAttributes", {"LoadBalancerArn": balancer}
                )
                listed = members((described or {}).get("Attributes"))
                attributes = {one["Key"]: one["Value"] or "" for one in listed}
                return elbv2_rules.refused_deletion(balancer, attributes)
        return None

    async def _refused_groups(self, call: Call, protocol: str) -> Refusal | None:
        if protocol != "HTTP":
            return None
        groups = elbv2_rules.target_groups(call.form)
        return elbv2_rules.refused_versions(protocol, [await self._version(call, one) for one in groups])

    async def _refused_policy(self, call: Call) -> Refusal | None:
        if "SslPolicy" not in call.form:
            return None
        if not self._policies:
            found = await self.upstream.query(call, "DescribeSSLPolicies", {})
            self._policies = frozenset(one["Name"] for one in members((found or {}).get("SslPolicies")))
        return elbv2_rules.refused_policy(call.form, self._policies)

    async def _version(self, call: Call, group: str) -> str:
        """The protocol version of a target group, which never changes; "" if it has none or is not there."""
        if group not in self._versions:
            found = await self.upstream.query(
                call, "DescribeTargetGroups", {"TargetGroupArns.member.1": group}
            )
            listed = members((found or {}).get("TargetGroups"))
            if not listed:
                return ""
            self._versions[group] = listed[0].get("ProtocolVersion") or ""
        return self._versions[group]

    async def _listener(self, call: Call, arn: str) -> Listener:
        if arn not in self._listeners:
            found = await self.upstream.query(call, "DescribeListeners", {"ListenerArns.member.1": arn})
            listed = members((found or {}).get("Listeners"))
            if not listed:
                return Listener("", "", "")
            self._listeners[arn] = _listener(listed[0])
        return self._listeners[arn]

    async def _listeners_of(self, call: Call, balancer: str) -> list[Listener]:
        return [_listener(one) for one in await self._described_listeners(call, balancer)]

    async def _described_listeners(self, call: Call, balancer: str) -> list[Mapping[str, Any]]:
        found = await self.upstream.query(call, "DescribeListeners", {"LoadBalancerArn": balancer})
        return members((found or {}).get("Listeners"))

    async def _rule_count(self, call: Call, balancer: str) -> int:
        if balancer not in self._rules:
            count = 0
            for listener in await self._described_listeners(call, balancer):
                arn = listener["ListenerArn"]
                described = await self.upstream.query(call, "DescribeRules", {"ListenerArn": arn})
                listed = members((described or {}).get("Rules"))
                count += sum(rule["IsDefault"] != "true" for rule in listed)
            self._rules[balancer] = count
        return self._rules[balancer]

    async def _describe_health(self, call: Call) -> Answer:
        group = call.form.get("TargetGroupArn", "")
        found = await self.upstream.query(call, "DescribeTargetHealth", {"TargetGroupArn": group})
        if found is None:
            return await self.upstream.forward(call)
        registered = [one["Target"] for one in members(found.get("TargetHealthDescriptions"))]
        known = self.target_health(group)
        if inspect.isawaitable(known):
            known = await known
        wanted = target_health.asked(call.form)
        return target_health.answer(target_health.described(registered, known, wanted))

    def _created_now(self, answer: Answer) -> Answer:
        match = _CREATED.search(answer.body)
        if answer.is_ok and match:
            self._created[match[1].decode()] = self.clock.now()
        return answer

    def _with_states(self, answer: Answer) -> Answer:
        """A balancer is `provisioning` for a while (ELBv2 API reference, LoadBalancerState)."""
        now = self.clock.now()
        for arn, created in list(self._created.items()):
            if now - created >= PRODUCTION.balancer_provisioning:
                del self._created[arn]
        if not self._created or not answer.is_ok:
            return answer
        young = [arn.encode() for arn in self._created]

        def told(match: re.Match[bytes]) -> bytes:
            is_young = any(b">" + arn + b"<" in match[0] for arn in young)
            return _STATE.sub(rb"\1provisioning\2", match[0]) if is_young else match[0]

        return Answer(answer.status, _MEMBER.sub(told, answer.body), answer.content_type)


def _listener(described: Mapping[str, Any]) -> Listener:
    return Listener(
        described["LoadBalancerArn"], described.get("Protocol") or "", str(described.get("Port") or "")
    )


def _version(protocol: str | None, form: Mapping[str, str]) -> str:
    return form.get("ProtocolVersion") or ("HTTP1" if protocol in ("HTTP", "HTTPS") else "")


def _summary(form: Mapping[str, str]) -> str:
    """Which object a call is about: its name, or the last part of its ARN."""
    return next(
        (form[key] for key in ("Name", *(key for key in form if key.endswith("Arn"))) if key in form), ""
    )
