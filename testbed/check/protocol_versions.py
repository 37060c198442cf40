"""Traps of gRPC and REST behind one ALB: each target group takes requests of its own protocol version.

Source: ALB guide, "Protocol version": an HTTP1 group refuses gRPC with 464, a GRPC group takes HTTP/2 POST
only, an HTTP2 group refuses HTTP/1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from testbed.check.findings import Severity
from testbed.check.manifest_reading import Reading
from testbed.check.planned_group import PlannedGroup
from testbed.check.rule_registry import Trap, rule
from testbed.lb_controller.core import wildcards
from testbed.lb_controller.core.stack import GRPC, HTTP1, HTTP2, ListenerRule
from testbed.lb_controller.ingress.listen_ports import HTTPS
from testbed.lb_controller.ingress.rule_conditions import PATH

_GRPC_METHOD = re.compile(r"/[A-Za-z_][\w.]*\.[A-Za-z_]\w*/.+\Z")
_REFUSED: Mapping[str | None, str] = {
    GRPC: "HTTP/1.1 requests, and HTTP/2 requests other than POST,",
    HTTP2: "HTTP/1.1 requests",
}
"""The requests that a target group of a protocol version refuses."""
_HEALTH_AND_REFLECTION = ("/grpc.health.v1.Health/", "/grpc.reflection.v1")
_DO = "route each protocol by its own paths"


@rule("wrong-protocol-gets-464", Severity.NOTE, advice="expect-464")
def wrong_protocol_gets_464(reading: Reading) -> Iterator[Trap]:
    """Requests of the other protocol that match a rule get 464."""
    for planned in reading.groups:
        yield from _of_rules(planned)
        yield from _of_default_backends(planned)


def _of_rules(planned: PlannedGroup) -> Iterator[Trap]:
    has_grpc = _has_grpc(planned)
    by_protocol: dict[str | None, dict[str, list[ListenerRule]]] = {}
    for item in planned.stack.rules:
        if planned.listeners[item.listener_port].protocol != HTTPS:
            continue  # there is no gRPC on HTTP listeners: AWS refuses it
        for group in planned.target_groups_of(item.actions):
            by_protocol.setdefault(group.protocol_version, {}).setdefault(group.id, []).append(item)
            if group.protocol_version == HTTP1 and _takes_grpc(item, everything=has_grpc):
                yield Trap(
                    planned.rule_line(item),
                    f"gRPC calls that match {planned.rule_title(item)} get 464 from the "
                    f"{planned.target_group_title(group)}; gRPC health and reflection need rules of their "
                    "own before it",
                    _DO,
                )
    for protocol, requests in _REFUSED.items():
        for group_id, items in by_protocol.get(protocol, {}).items():
            yield Trap(
                planned.rule_line(items[0]),
                f"{requests} get 464 from the "
                f"{planned.target_group_title(planned.target_groups[group_id])} on "
                f"{', '.join(map(planned.rule_title, items))}",
                _DO,
            )


def _of_default_backends(planned: PlannedGroup) -> Iterator[Trap]:
    has_grpc = _has_grpc(planned)
    for listener in planned.stack.listeners:
        if listener.protocol != HTTPS:
            continue
        for group in planned.target_groups_of(listener.default_actions):
            is_http1 = group.protocol_version == HTTP1
            if is_http1 and not has_grpc:
                continue  # a plain REST default backend is no trap in a group without gRPC
            where = planned.line(planned.member_of(group), "spec", "defaultBackend")
            requests = "gRPC calls" if is_http1 else _REFUSED[group.protocol_version]
            yield Trap(
                where,
                f"{requests} that no rule of listener {listener.port} matches get 464 from the "
                f"{planned.target_group_title(group)}, the default backend ({where})",
                _DO,
            )


@rule("grpc-health-without-rule", Severity.NOTE)
def grpc_health_without_rule(reading: Reading) -> Iterator[Trap]:
    """Clients that use gRPC health checks or reflection need rules for these services too."""
    for stack, manifest in reading.owners_of(GRPC):
        assert stack.stack is not None
        paths = [
            value
            for item in stack.stack.rules
            for condition in item.conditions
            if condition.field == PATH
            for value in condition.values
        ]
        if "/*" in paths or not paths:
            continue
        missing = [
            name for name in _HEALTH_AND_REFLECTION if not any(path.startswith(name) for path in paths)
        ]
        if missing:
            yield Trap(
                manifest.where,
                f"no rule of {stack.title} matches {' or '.join(missing)}: such calls passed the NLB and now "
                "end in the ALB's 404",
                "add paths for them if any client or operator uses them",
            )


def _has_grpc(planned: PlannedGroup) -> bool:
    return any(group.protocol_version == GRPC for group in planned.stack.target_groups)


def _takes_grpc(item: ListenerRule, *, everything: bool) -> bool:
    """True if a path is one of a gRPC method, or (in a group with GRPC groups too) matches any path."""
    paths = [value for condition in item.conditions if condition.field == PATH for value in condition.values]
    if not paths:
        return everything
    return any(_GRPC_METHOD.match(path) or (everything and wildcards.covers(path, "/*")) for path in paths)
