"""A call for each path that an ALB forwards, which meets the conditions of its rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from testbed.errors import BadInput
from testbed.lb_controller.core import wildcards
from testbed.lb_controller.core.stack import GRPC, Condition, ListenerRule, Ref, Stack
from testbed.lb_controller.ingress.rule_conditions import HEADER, HOST, METHOD, PATH, QUERY
from testbed.traffic.calls import Call
from testbed.traffic.description import METHODS, OWN_HEADERS

_GRPC_SHARE, _REST_SHARE = 3.0, 2.0
_GRPC_CONTENT = "application/grpc"
_CLIENTS_OWN = ("content-type", "te", "user-agent")
"""Headers that a gRPC client sets itself."""


def calls(stack: Stack, host: str, port: int) -> list[Call]:
    """A call for each path that a rule of the host forwards; health and reflection only if nothing else.

    Raises:
        BadInput: no call reaches any rule, or no gRPC call reaches a rule for gRPC.
    """
    found: dict[tuple[str, str], Call] = {}
    minor: dict[tuple[str, str], Call] = {}
    unmatched: list[str] = []
    unmet: list[str] = []
    versions = {group.id: group.protocol_version for group in stack.target_groups}
    for rule in stack.rules:
        version = _protocol_version(rule, versions)
        if version is None or rule.listener_port != port or not _takes(rule, host):
            continue
        for path in _paths(rule):
            call = _grpc(path) if version == GRPC else Call("rest", _plain(path), "GET", share=_REST_SHARE)
            if not wildcards.covers(path, call.path):
                unmatched.append(path)
                continue  # a Prefix path matches the bare prefix too, which is not a gRPC method
            met = _meeting(call, rule.conditions)
            if isinstance(met, Condition):
                unmet.append(f"path {path} requires a {met.field}")
                continue
            is_minor = met.path.startswith(("/grpc.health.", "/grpc.reflection."))
            # Health checks alone would show nothing of the move, so they count only without other calls.
            (minor if is_minor else found).setdefault((met.protocol, met.path), met)
    chosen = found or minor
    if unmatched and not any(protocol == "grpc" for protocol, _ in (*found, *minor)):
        raise BadInput(
            f"no gRPC method has the path {unmatched[0]}: the rule is never reached",
            do="write /package.Service/* with pathType ImplementationSpecific",
        )
    if not chosen:
        reason = f": the rule of {unmet[0]} that no generated call can meet" if unmet else ""
        raise BadInput(f"no rule of the ALB forwards a call of {host}{reason}")
    return list(chosen.values())


def _protocol_version(rule: ListenerRule, versions: Mapping[str, str | None]) -> str | None:
    """The protocol version of the first target group of a rule; None if the rule does not forward."""
    groups = [item for action in rule.actions if action.forward for item in action.forward.target_groups]
    return next(
        (versions[item.target_group.id] for item in groups if isinstance(item.target_group, Ref)), None
    )


def _takes(rule: ListenerRule, host: str) -> bool:
    values = [value.lower() for one in rule.conditions if one.field == HOST for value in one.values]
    return not values or any(wildcards.covers(value, host.lower()) for value in values)


def _paths(rule: ListenerRule) -> list[str]:
    return [value for one in rule.conditions if one.field == PATH for value in one.values] or ["/*"]


def _plain(pattern: str) -> str:
    """A path that a pattern matches: `/a/1` for `/a/*`, `/` for `/*`."""
    if pattern == "/*":
        return "/"
    return pattern.replace("*", "1").replace("?", "x")


def _grpc(pattern: str) -> Call:
    """A method that a pattern matches."""
    match = re.fullmatch(r"/([A-Za-z_][\w.]*)/(.*)", pattern)
    if match:
        service, method = match[1], re.sub(r"\W", "", match[2].replace("?", "x")) or "Call"
    else:
        start = re.match(r"/([A-Za-z_][\w.]*)", pattern)
        service, method = f"{start[1].rstrip('.')}.Any" if start else "testbed.Any", "Call"
    return Call("grpc", f"/{service}/{method}", share=_GRPC_SHARE)


def _meeting(call: Call, conditions: tuple[Condition, ...]) -> Call | Condition:
    """The call changed to meet the conditions beside host and path, or the first condition it cannot meet."""
    for one in conditions:
        if one.field in (HOST, PATH):
            continue
        meet = _MEET.get(one.field)
        met = meet(call, one) if meet else None
        if met is None:
            return one
        call = met
    return call


def _with_method(call: Call, condition: Condition) -> Call | None:
    if call.method in condition.values:
        return call
    method = next((one for one in condition.values if one in METHODS), None)
    return replace(call, method=method) if method and call.protocol == "rest" else None


def _with_header(call: Call, condition: Condition) -> Call | None:
    name = (condition.header_name or "").lower()
    if call.protocol == "grpc" and name in _CLIENTS_OWN:
        is_met = name == "content-type" and any(
            wildcards.covers(value.lower(), _GRPC_CONTENT) for value in condition.values
        )
        return call if is_met else None
    if not condition.values or name in OWN_HEADERS:
        return None
    return replace(call, headers=(*call.headers, (name, _plain(condition.values[0]))))


def _with_query(call: Call, condition: Condition) -> Call | None:
    if call.protocol != "rest" or not condition.query:
        return None
    pair = condition.query[0]
    mark = "&" if "?" in call.path else "?"
    return replace(call, path=f"{call.path}{mark}{_plain(pair.key or 'any')}={_plain(pair.value)}")


_MEET: Mapping[str, Callable[[Call, Condition], Call | None]] = {
    METHOD: _with_method,
    HEADER: _with_header,
    QUERY: _with_query,
}
