"""ELBv2 in front of the backend: AWS's rules and limits, the state of new balancers, target health."""

from __future__ import annotations

import asyncio
import inspect
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.aws import describe_target_health as target_health
from testbed.aws import (
    elbv2_action_refusals,
    elbv2_name_refusals,
    elbv2_refusals,
    elbv2_settings,
    elbv2_target_refusals,
    model_validation,
    query_parameters,
)
from testbed.aws.answers import Answer, Refusal, query_answer, refused
from testbed.aws.api_calls import Call
from testbed.aws.balancer_names import DNS_NAME_TAG
from testbed.aws.capacity_reservations import CapacityReservations
from testbed.aws.elbv2_lookups import Elbv2Lookups
from testbed.aws.elbv2_refusals import Listener
from testbed.aws.upstream import Upstream, members
from testbed.clock import Clock

Descriptions = list[dict[str, Any]]
Parameters = Mapping[str, Any]
"""Parameters of a call in the shape of boto3."""
Usable = Callable[[str], Awaitable[Refusal | None]]
"""ARN of a certificate → why no listener may use it; None if one may."""
TargetHealth = Callable[[str], Descriptions | Awaitable[Descriptions]]
"""ARN of a target group → its TargetHealthDescriptions by the health checks.

The health checks may run in another process; then the result is awaitable.
"""

# After these calls the cached listeners and numbers of rules are stale.
_FORGET = frozenset({"ModifyListener", "DeleteListener", "DeleteLoadBalancer", "DeleteRule"})
_SETTINGS_OF_BALANCERS = frozenset({"SetSubnets", "SetSecurityGroups", "SetIpAddressType"})
_PAGE = 400
"""Items of a page where a call names no size [ELBv2 API reference, PageSize]."""
_CREATED = re.compile(rb"<LoadBalancerArn>([^<]+)</LoadBalancerArn>")
_MEMBER = re.compile(rb"<member>(?:(?!<member>).)*?<LoadBalancerArn>.*?</State>", re.DOTALL)
_STATE = re.compile(rb"(<State>\s*<Code>)[a-z_]+(</Code>)")


@dataclass(slots=True)
class Elbv2Front:
    """Answers or forwards the calls of ELBv2. Belongs to one loop.

    It reads from the backend once what never changes, or changes only by calls that pass here.

    Attributes:
        provisioning: returns the production seconds from the creation of a balancer until it is active.
        usable: returns why no listener may use a certificate.
    """

    upstream: Upstream
    clock: Clock
    target_health: TargetHealth
    provisioning: Callable[[], float]
    usable: Usable
    _lookups: Elbv2Lookups = field(init=False)
    _capacity: CapacityReservations = field(init=False)
    _lock: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)
    _settings: dict[tuple[str, str], dict[str, Any]] = field(init=False, default_factory=dict)
    _creating: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)
    _active_at: dict[str, float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._lookups = Elbv2Lookups(self.upstream)
        self._capacity = CapacityReservations(self.clock)

    async def users_of(self, certificate: str) -> list[str]:
        """Return ARNs of the balancers whose listeners use a certificate."""
        return await self._lookups.users_of(certificate)

    async def answer(self, call: Call) -> tuple[Answer, str]:
        """Return the answer, and the summary of the call for the journal.

        Raises:
            Unavailable: the backend does not answer.
        """
        parameters = query_parameters.nested(call.form)
        if malformed := model_validation.refusal("elbv2", call.operation, parameters):
            return refused("elbv2", malformed), ""
        match call.operation:
            case "DescribeTargetHealth":
                return await self._describe_health(call), ""
            case "DescribeLoadBalancers":
                # Not while one is created: it is there already, and nobody knows yet that it is new.
                async with self._creating:
                    pass
                return self._with_states(await self.upstream.forward(call, _paged(call))), ""
            case "DescribeRules":
                return await self.upstream.forward(call, _paged(call)), ""
            case "DescribeCapacityReservation" | "ModifyCapacityReservation":
                return await self._capacity_of(call, parameters), _summary(call.form)
        if not call.mutates:
            return await self.upstream.forward(call), _summary(call.form)
        # One at a time: two calls must not both pass a limit that has room for one.
        async with self._lock:
            return await self._checked(call, parameters), _summary(call.form)

    async def _checked(self, call: Call, parameters: Parameters) -> Answer:
        refusal = await self._refusal(call, parameters)
        if refusal:
            return refused("elbv2", refusal)
        if call.operation in ("CreateLoadBalancer", "CreateTargetGroup"):
            return await self._created_once(call, parameters)
        answer = await self.upstream.forward(call)
        if answer.is_ok and call.operation in _FORGET:
            self._lookups.forget()
        elif answer.is_ok and call.operation == "CreateRule":
            self._lookups.count_rule((await self._lookups.listener(call.form["ListenerArn"])).load_balancer)
        elif answer.is_ok and call.operation in _SETTINGS_OF_BALANCERS:
            self._change_settings("balancer", parameters["LoadBalancerArn"], parameters)
        elif answer.is_ok and call.operation == "ModifyTargetGroup":
            self._change_settings("group", parameters["TargetGroupArn"], parameters)
        return answer

    async def _refusal(self, call: Call, parameters: Parameters) -> Refusal | None:
        """Return AWS's refusal of the call. The backend itself refuses names that do not exist."""
        form = call.form
        match call.operation:
            case "CreateLoadBalancer":
                return elbv2_name_refusals.refused_balancer(parameters)
            case "CreateRule" | "ModifyRule":
                return await self._refused_rule(call, parameters)
            case "DeleteRule":
                rule = parameters["RuleArn"]
                return elbv2_refusals.refused_default(rule, is_default=await self._lookups.is_default(rule))
            case "CreateListener" | "ModifyListener":
                return await self._refused_listener(call, parameters)
            case "AddListenerCertificates":
                return await self._refused_certificates(parameters)
            case "CreateTargetGroup":
                version = _version(form.get("Protocol"), form)
                return (
                    elbv2_name_refusals.refused_group(parameters)
                    or elbv2_target_refusals.refused_version(parameters)
                    or elbv2_target_refusals.refused_code(parameters, version)
                    or elbv2_refusals.refused_matcher(form, version)
                )
            case "ModifyTargetGroup":
                group = await self._lookups.group(parameters["TargetGroupArn"])
                version = group.version if group else ""
                return elbv2_target_refusals.refused_code(
                    parameters, version
                ) or elbv2_refusals.refused_matcher(form, version)
            case "RegisterTargets":
                group = await self._lookups.group(parameters["TargetGroupArn"])
                targets = parameters["Targets"] or ()
                return elbv2_target_refusals.refused_targets(targets, group.target_type) if group else None
            case "ModifyLoadBalancerAttributes" | "ModifyTargetGroupAttributes" | "ModifyListenerAttributes":
                return elbv2_refusals.refused_numbers(form)
            case "DeleteLoadBalancer":
                balancer = parameters["LoadBalancerArn"]
                return elbv2_refusals.refused_deletion(balancer, await self._lookups.attributes(balancer))
        return None

    async def _refused_rule(self, call: Call, parameters: Parameters) -> Refusal | None:
        creates = call.operation == "CreateRule"
        rule = parameters.get("RuleArn", "")
        known = await self._lookups.listener(
            parameters["ListenerArn"] if creates else elbv2_refusals.listener_of_rule(rule)
        )
        refusal = (
            (
                None
                if creates
                else elbv2_refusals.refused_default(rule, is_default=await self._lookups.is_default(rule))
            )
            or elbv2_refusals.refused_fields(parameters, creates=creates)
            or elbv2_refusals.refused_conditions(call.form)
            or await self._refused_actions(
                call, parameters.get("Actions"), known.protocol, known.load_balancer
            )
        )
        if refusal or not creates:
            return refusal
        return elbv2_refusals.refused_count(await self._lookups.rule_count(known.load_balancer))

    async def _refused_listener(self, call: Call, parameters: Parameters) -> Refusal | None:
        creates = call.operation == "CreateListener"
        known = Listener(parameters.get("LoadBalancerArn", ""), "", "")
        if not creates:
            known = await self._lookups.listener(parameters["ListenerArn"])
        balancer = known.load_balancer
        others = [one for one in await self._lookups.listeners_of(balancer) if one.arn != known.arn]
        protocol = parameters.get("Protocol") or known.protocol
        return (
            elbv2_refusals.refused_protocol(protocol, balancer)
            or elbv2_refusals.refused_listener(call.form, balancer, others, known.protocol)
            or await self._refused_policy(call)
            or await self._refused_certificates(parameters)
            or await self._refused_actions(call, parameters.get("DefaultActions"), protocol, balancer)
        )

    async def _refused_actions(
        self, call: Call, actions: Any, protocol: str, balancer: str
    ) -> Refusal | None:
        """Check the actions of a call that names some; a ModifyRule or ModifyListener may name none."""
        if not actions:
            return None
        named = [await self._lookups.group(arn) for arn in elbv2_refusals.target_groups(call.form)]
        groups = [group for group in named if group]
        return (
            elbv2_action_refusals.refused_actions(actions, protocol)
            or elbv2_refusals.refused_versions(protocol, [group.version for group in groups])
            or elbv2_action_refusals.refused_groups(groups, protocol, balancer)
        )

    async def _refused_policy(self, call: Call) -> Refusal | None:
        if "SslPolicy" not in call.form:
            return None
        return elbv2_refusals.refused_policy(call.form, await self._lookups.policies())

    async def _refused_certificates(self, parameters: Parameters) -> Refusal | None:
        for certificate in parameters.get("Certificates") or ():
            if refusal := await self.usable(certificate.get("CertificateArn", "")):
                return refusal
        return None

    async def _created_once(self, call: Call, parameters: Parameters) -> Answer:
        """Create what there is not yet; answer with what there is if it has the same settings."""
        name = parameters["Name"]
        if call.operation == "CreateLoadBalancer":
            kind, what = "balancer", "load balancer"
            settings = elbv2_settings.of_a_balancer(parameters)
            found, code = await self._lookups.balancer_named(name), "DuplicateLoadBalancerName"
        else:
            kind, what = "group", "target group"
            settings = elbv2_settings.of_a_group(parameters)
            found, code = await self._lookups.group_named(name), "DuplicateTargetGroupName"
        if found is None:
            async with self._creating:
                answer = await self.upstream.forward(call)
                if answer.is_ok:
                    self._settings[kind, name] = settings
                return self._created_now(call, answer) if kind == "balancer" else answer
        if self._settings.get((kind, name)) != settings:
            text = f"A {what} with the same name '{name}' exists, but with different settings"
            return refused("elbv2", Refusal(code, text))
        plural = "LoadBalancers" if kind == "balancer" else "TargetGroups"
        same = found.body.replace(f"Describe{plural}".encode(), f"Create{plural[:-1]}".encode())
        return self._with_states(Answer(200, same, found.content_type))

    def _change_settings(self, kind: str, arn: str, parameters: Parameters) -> None:
        name = arn.split("/")[-2]
        changed = {key: value for key, value in parameters.items() if not key.endswith("Arn")}
        for key in ("Subnets", "SecurityGroups"):
            if key in changed:
                changed[key] = sorted(changed[key])
        self._settings.setdefault((kind, name), {}).update(changed)

    async def _capacity_of(self, call: Call, parameters: Parameters) -> Answer:
        balancer = parameters["LoadBalancerArn"]
        zones = await self._lookups.zones(balancer)
        if zones is None:
            text = f"Load balancer '{balancer}' not found"
            return refused("elbv2", Refusal("LoadBalancerNotFound", text))
        if call.mutates and (refusal := self._capacity.modify(balancer, parameters)):
            return refused("elbv2", refusal)
        return query_answer(call.operation, self._capacity.described(balancer, zones))

    async def _describe_health(self, call: Call) -> Answer:
        group = call.form.get("TargetGroupArn", "")
        # Before the registered targets: a target that is deregistered in between must show as draining.
        known = self.target_health(group)
        # On Docker Compose the health checks run in another container.
        if inspect.isawaitable(known):
            known = await known
        result = await self.upstream.query(call, "DescribeTargetHealth", {"TargetGroupArn": group})
        if result is None:
            return await self.upstream.forward(call)
        registered = members(result.get("TargetHealthDescriptions"))
        requested = target_health.requested(call.form)
        return target_health.answer(target_health.described(registered, known, requested))

    def _created_now(self, call: Call, answer: Answer) -> Answer:
        match = _CREATED.search(answer.body)
        seconds = 0.0 if DNS_NAME_TAG in call.form.values() else self.provisioning()
        if answer.is_ok and match and seconds:
            self._active_at[match[1].decode()] = self.clock.now() + seconds
        return answer

    def unstick(self) -> None:
        """Let the balancers that would be provisioned for ever be active now; call it from any thread."""
        for arn, active_at in list(self._active_at.items()):
            if active_at == math.inf:
                self._active_at[arn] = self.clock.now()

    def _with_states(self, answer: Answer) -> Answer:
        """Report a new balancer as `provisioning` for a while (ELBv2 API reference, LoadBalancerState)."""
        now = self.clock.now()
        for arn, active_at in list(self._active_at.items()):
            if now >= active_at:
                del self._active_at[arn]
        if not self._active_at or not answer.is_ok:
            return answer
        # Changed as text, so that the rest of the backend's answer stays byte for byte.
        young = [arn.encode() for arn in self._active_at]

        def with_state(match: re.Match[bytes]) -> bytes:
            is_young = any(b">" + arn + b"<" in match[0] for arn in young)
            return _STATE.sub(rb"\1provisioning\2", match[0]) if is_young else match[0]

        return Answer(answer.status, _MEMBER.sub(with_state, answer.body), answer.content_type)


def _paged(call: Call) -> bytes:
    """Return the body of a call with the page size that is AWS's by default; the backend's is smaller."""
    return call.body if "PageSize" in call.form else call.body + b"&PageSize=%d" % _PAGE


def _version(protocol: str | None, form: Mapping[str, str]) -> str:
    return form.get("ProtocolVersion") or ("HTTP1" if protocol in ("HTTP", "HTTPS") else "")


def _summary(form: Mapping[str, str]) -> str:
    """Return the name of the object that a call is about, or its ARN."""
    return next(
        (form[key] for key in ("Name", *(key for key in form if key.endswith("Arn"))) if key in form), ""
    )
