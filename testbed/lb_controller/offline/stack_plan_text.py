"""A plan as text for a person: load balancers, listeners, rules in order, target groups, health checks."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.lb_controller.core.stack import (
    Action,
    FrontendNlb,
    HealthCheck,
    Listener,
    LoadBalancer,
    Ref,
    Reference,
    Stack,
    TargetGroup,
    TargetGroupBinding,
    Transform,
)
from testbed.lb_controller.core.unobeyed import PHRASE, unobeyed
from testbed.lb_controller.ingress.rule_conditions import in_words
from testbed.lb_controller.offline.stack_plan import Plan, PlannedStack

_TYPES = {"application": "ALB", "network": "NLB"}


def lines(plan: Plan) -> list[str]:
    """The plan in lines of text, with an empty line after each stack."""
    text: list[str] = []
    for item in plan.stacks:
        text += [*_stack(item), ""]
    if not plan.stacks:
        text += ["Neither controller here makes a load balancer of these manifests.", ""]
    text += [f"{one} ({one.where})." for one in plan.unread]
    text += [f"{one} ({one.where})." for one in plan.applied_anew]
    text += [f"{one} ({one.where})." for one in plan.unplanned]
    return text


def _stack(item: PlannedStack) -> Iterator[str]:
    members = ", ".join(f"{name} ({where})" for name, where in item.members.items())
    yield f"{item.title}, made by the {item.owner}"
    if members and not item.title.startswith("Service"):
        yield f"  of {members}"
    if item.stack is None:
        yield f"  FailedBuildModel: Failed build model due to {item.error}"
        return
    if item.stack.load_balancer is None:
        yield "  nothing"
        return
    yield f"  {_load_balancer(item.stack.load_balancer)}"
    for listener in item.stack.listeners:
        yield f"    {_listener(listener)}"
        for rule in item.stack.rules:
            if rule.listener_port == listener.port:
                to = ", then ".join(_action(action, item.stack) for action in rule.actions)
                rewrites = "".join(f"{_transform(one)}, " for one in rule.transforms)
                yield f"      {rule.priority:>5}  {in_words(rule.conditions)} -> {rewrites}{to}"
        to = ", then ".join(_action(action, item.stack) for action in listener.default_actions)
        yield f"      default  {to}"
    bindings = {binding.id: binding for binding in item.stack.bindings}
    for group in item.stack.target_groups:
        yield f"    {_target_group(group, bindings[group.id])}"
        yield f"      health: {_health_check(group.health_check)}"
    if item.stack.frontend_nlb:
        yield from _frontend_nlb(item.stack.frontend_nlb)
    for phrase in unobeyed(item.stack):
        yield f"  {PHRASE}: {phrase}"


def _frontend_nlb(frontend: FrontendNlb) -> Iterator[str]:
    yield f"  {_load_balancer(frontend.load_balancer)}"
    for port in frontend.ports:
        group = port.target_group
        yield f"    {_listener(port.listener)}"
        yield f"      default  {group.protocol} {group.name}"
        yield f"    target group {group.name}, {group.protocol}, the ALB at port {port.target_port}"
        yield f"      health: {_health_check(group.health_check)}"


def _load_balancer(balancer: LoadBalancer) -> str:
    attributes = "".join(f", {key}={value}" for key, value in sorted(balancer.attributes.items()))
    kind = _TYPES[balancer.type]
    return f"{kind} {balancer.name}, {balancer.scheme}, {balancer.ip_address_type}{attributes}"


def _listener(listener: Listener) -> str:
    parts = [f"listener {listener.port} {listener.protocol}"]
    if listener.certificates:
        parts.append(f"certificates {', '.join(listener.certificates)}")
    if listener.ssl_policy:
        parts.append(listener.ssl_policy)
    if listener.alpn_policy:
        parts.append(f"ALPN {listener.alpn_policy}")
    return ", ".join(parts)


def _action(action: Action, stack: Stack) -> str:
    if action.forward:
        shares = action.forward.target_groups
        return ", ".join(
            _named(share.target_group, stack) + ("" if share.weight is None else f" (weight {share.weight})")
            for share in shares
        )
    if action.redirect:
        target = action.redirect
        parts = (target.protocol, target.host, target.port, target.path, target.query)
        return f"redirect {target.status_code} to {' '.join(part for part in parts if part)}"
    if action.fixed_response:
        response = action.fixed_response
        return f"fixed {response.status_code}" + (
            f" {response.message_body!r}" if response.message_body else ""
        )
    return action.type


def _transform(transform: Transform) -> str:
    what = " and ".join(f"{one.regex} by {one.replace}" for one in transform.rewrites)
    return f"{transform.type} {what}"


def _named(reference: Reference, stack: Stack) -> str:
    if not isinstance(reference, Ref):
        return reference
    group = next(item for item in stack.target_groups if item.id == reference.id)
    return f"{group.protocol_version or group.protocol} {group.name}"


def _target_group(group: TargetGroup, binding: TargetGroupBinding) -> str:
    version = f" {group.protocol_version}" if group.protocol_version else ""
    attributes = "".join(f", {key}={value}" for key, value in sorted(group.attributes.items()))
    source = f"Service {binding.namespace}/{binding.service_name} port {binding.service_port}"
    return (
        f"target group {group.name}, {group.protocol}{version}, {group.target_type} targets of {source}"
        f"{attributes}"
    )


def _health_check(check: HealthCheck) -> str:
    what = [check.protocol]
    if check.path:
        what.append(check.path)
    what.append(f"on {check.port}" if isinstance(check.port, str) else f"on port {check.port}")
    every = f"every {check.interval_seconds} s within {check.timeout_seconds} s"
    counts = f"{check.healthy_threshold} up, {check.unhealthy_threshold} down"
    codes = ""
    if check.matcher and check.matcher.grpc_code is not None:
        codes = f", grpc-status {check.matcher.grpc_code}"
    elif check.matcher:
        codes = f", status {check.matcher.http_code}"
    return f"{' '.join(what)}, {every}, {counts}{codes}"
