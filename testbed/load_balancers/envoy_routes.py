"""Builds Envoy's route tables from listener rules (pure).

Each protocol of the client has a table of its own, so that the protocol matrix of the ALB [ALB guide, "Target
groups", protocol version; code 464] needs routes only:

| request        | HTTP1 | HTTP2 | GRPC               |
|----------------|-------|-------|--------------------|
| HTTP/1.1       | ok    | 464   | 464                |
| HTTP/2         | ok    | ok    | POST, else 464     |
| gRPC           | 464   | ok    | ok                 |

The routes have the order of the rules. Envoy's own defaults are switched off: no timeout, no retry.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from envoy.config.route.v3 import route_pb2
from google.protobuf.struct_pb2 import Struct

from testbed.clock import Clock
from testbed.load_balancers import stickiness
from testbed.load_balancers.elbv2_state import Elbv2State, Listener
from testbed.load_balancers.rule_matching import (
    Condition,
    FixedResponse,
    Forward,
    HostHeader,
    HttpHeader,
    Method,
    PathPattern,
    QueryString,
    Redirect,
    Rule,
    SourceIp,
    query_wildcard,
    wildcard,
)

Protocol = Literal["h1", "h2"]
METADATA = "alb"
LUA_METADATA = "envoy.filters.http.lua"
SOURCE_HEADER = "x-alb-source-ip"
"""The listener sets it to the peer's address for conditions `source-ip`; it never reaches a target."""
MISMATCH = 464
CONNECTION_HEADER = {
    "header": {"key": "x-testbed-connection", "value": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%"},
    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
}
"""Names the client's connection that carried the request, for the ledger; a real ALB does not add it."""

Message = dict[str, Any]


def table(
    name: str,
    listener: Listener,
    protocol: Protocol,
    state: Elbv2State,
    cluster: Mapping[str, str],
    clock: Clock,
) -> route_pb2.RouteConfiguration:
    """Return the route table of a listener for clients of one protocol.

    Args:
        name: the table's name in RDS.
        listener: the listener, with its rules in order.
        protocol: the protocol of the clients.
        state: gives the protocol versions of the target groups.
        cluster: name of this node's cluster, by target group ARN.
        clock: divides the durations of cookies.
    """
    certificate = listener.certificates[0] if listener.certificates else ""
    routes = itertools.chain.from_iterable(
        _routes(rule, protocol, state, cluster, certificate, clock) for rule in listener.rules
    )
    return route_pb2.RouteConfiguration(
        name=name,
        request_headers_to_remove=[SOURCE_HEADER, stickiness.SESSION, stickiness.APP_SESSION],
        virtual_hosts=[{"name": "rules", "domains": ["*"], "routes": list(routes)}],
    )


def _routes(
    rule: Rule,
    protocol: Protocol,
    state: Elbv2State,
    cluster: Mapping[str, str],
    certificate: str,
    clock: Clock,
) -> Iterator[Message]:
    labels = _labels(rule, certificate)
    for match in _matches(rule.conditions):
        action = rule.action
        if isinstance(action, Forward):
            yield from _forward(match, action, protocol, state, cluster, labels, clock)
        elif isinstance(action, Redirect):
            template = f"{action.protocol.lower()}://{action.host}:{action.port}{action.path}?{action.query}"
            labels = {**labels, LUA_METADATA: _struct({"location": template, "status": str(action.status)})}
            yield {
                "match": match,
                "direct_response": {"status": action.status},
                "metadata": _metadata(labels),
            }
        else:
            yield {"match": match, "metadata": _metadata(labels), **_fixed(action)}


def _forward(
    match: Message,
    action: Forward,
    protocol: Protocol,
    state: Elbv2State,
    cluster: Mapping[str, str],
    labels: Mapping[str, Struct],
    clock: Clock,
) -> Iterator[Message]:
    groups = [(arn, weight) for arn, weight in action.groups if arn in cluster and arn in state.groups]
    versions = {state.groups[arn].version for arn, _ in groups}
    metadata = _metadata(labels)
    # These routes come before the forward, because the first match counts.
    if protocol == "h1" and versions - {"HTTP1"}:
        yield _mismatch(match, metadata)
        return
    if protocol == "h2" and "GRPC" in versions:
        other = {"name": ":method", "string_match": {"exact": "POST"}, "invert_match": True}
        yield _mismatch({**match, "headers": [*match["headers"], other]}, metadata)
    if protocol == "h2" and "HTTP1" in versions:
        yield _mismatch({**match, "grpc": {}}, metadata)
    # The weight of a single group means nothing, not even 0.
    weighted = [(arn, weight) for arn, weight in groups if weight or len(groups) == 1]
    if not weighted:
        yield {"match": match, "direct_response": {"status": 503}, "metadata": metadata}
        return
    fields: dict[str, Message] = {}
    for arn, _ in weighted:
        fields[arn] = stickiness.to_target(stickiness.stickiness_of(state.groups[arn]), clock)
        fields[arn].setdefault("response_headers_to_add", []).append(CONNECTION_HEADER)
        if action.sticky and len(weighted) > 1:
            fields[arn]["response_headers_to_add"].append(stickiness.to_group(arn, action.sticky, clock))
            held = {**match, "headers": [*match["headers"], stickiness.holds_group(arn)]}
            yield {"match": held, "route": _to(cluster=cluster[arn]), "metadata": metadata, **fields[arn]}
    if len(weighted) == 1:
        arn = weighted[0][0]
        yield {"match": match, "route": _to(cluster=cluster[arn]), "metadata": metadata, **fields[arn]}
        return
    shares = [{"name": cluster[arn], "weight": {"value": weight}, **fields[arn]} for arn, weight in weighted]
    yield {"match": match, "route": _to(weighted_clusters={"clusters": shares}), "metadata": metadata}


def _to(**where: Any) -> Message:
    return {"timeout": {}, **where}  # no timeout: Envoy's default of 15 s would cut streams


def _mismatch(match: Message, metadata: Message) -> Message:
    return {"match": match, "direct_response": {"status": MISMATCH}, "metadata": metadata}


def _fixed(action: FixedResponse) -> Message:
    response: Message = {
        "direct_response": {"status": action.status},
        "response_headers_to_remove": ["location"],
    }
    if action.body:
        response["direct_response"]["body"] = {"inline_string": action.body}
        header = {"key": "content-type", "value": action.content_type or "text/plain"}
        response["response_headers_to_add"] = [
            {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        ]
    return response


def _matches(conditions: Sequence[Condition]) -> Iterator[Message]:
    """Yield Envoy matches: one for each path value, because a route has a single path matcher."""
    headers = [header for condition in conditions for header in _headers(condition)]
    patterns = (condition for condition in conditions if isinstance(condition, PathPattern))
    paths = next(patterns, PathPattern(("*",)))
    for path in paths.values:
        yield {**_path(path), "headers": headers}
    for regex in paths.regexes:
        yield {"safe_regex": {"regex": f"(?s){_anywhere(regex)}"}, "headers": headers}


def _path(pattern: str) -> Message:
    """Return the cheapest equivalent matcher: exact, prefix, or an expression over the whole path."""
    literal = pattern.rstrip("*")
    if "*" not in literal and "?" not in literal:
        if literal == pattern:
            return {"path": pattern}
        if literal.startswith("/"):
            return {"prefix": literal}
        if not literal:
            return {"prefix": "/"}
    return {"safe_regex": {"regex": f"(?s){wildcard(pattern)}"}}


def _headers(condition: Condition) -> Iterator[Message]:
    match condition:
        case HostHeader(values, regexes):
            names = [*map(wildcard, values), *(_anywhere(_before_port(regex)) for regex in regexes)]
            yield _expression(":authority", f"(?i)(?:{_any(names)})(?::[0-9]+)?")
        case HttpHeader(name, values, regexes):
            texts = [*map(wildcard, values), *map(_anywhere, regexes)]
            yield _expression(name.lower(), f"(?is)(?:{_any(texts)})")
        case Method(values):
            yield _expression(":method", _any(map(re.escape, values)))
        case SourceIp(values):
            yield _expression(SOURCE_HEADER, _any(map(_network, values)))
        case QueryString(values):
            pairs = (
                f"{'[^&=]*' if key is None else query_wildcard(key)}={query_wildcard(value)}"
                for key, value in values
            )
            yield _expression(":path", rf"(?is)[^?]*\?(?:.*&)?(?:{_any(pairs)})(?:&.*)?")
        case PathPattern():
            return


def _expression(header: str, regex: str) -> Message:
    return {"name": header, "string_match": {"safe_regex": {"regex": regex}}}


def _before_port(regex: str) -> str:
    """Move `$` in front of the port: a condition sees a host name without it, Envoy with it."""
    pieces, inside = [], False
    characters = iter(regex)
    for character in characters:
        if character == "\\":
            pieces.append(character + next(characters, ""))
            continue
        inside = character == "[" or (inside and character != "]")
        pieces.append("(?::[0-9]+)?$" if character == "$" and not inside else character)
    return "".join(pieces)


def _anywhere(regex: str) -> str:
    """Let an expression match anywhere, as a condition does; Envoy matches the whole text."""
    return f".*(?:{regex}).*"


def _any(expressions: Any) -> str:
    return "|".join(expressions)


def _network(cidr: str) -> str:
    """Return an expression for the addresses of a network; IPv6 matches nothing, as all peers have IPv4."""
    network = ipaddress.ip_network(cidr, strict=False)
    if isinstance(network, ipaddress.IPv6Network):
        return "-"
    pieces = []
    for first, last in zip(network.network_address.packed, network.broadcast_address.packed, strict=True):
        pieces.append(
            "[0-9]+" if (first, last) == (0, 255) else f"(?:{_any(map(str, range(first, last + 1)))})"
        )
    return r"\.".join(pieces)


def _labels(rule: Rule, certificate: str) -> dict[str, Struct]:
    """Return the metadata of a route from which the access log names its rule."""
    match rule.action:
        case Forward():
            kind = "forward"
        case Redirect():
            kind = "redirect"
        case FixedResponse():
            kind = "fixed-response"
    return {METADATA: _struct({"priority": str(rule.priority), "action": kind, "certificate": certificate})}


def _struct(values: Mapping[str, str]) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct


def _metadata(labels: Mapping[str, Struct]) -> Message:
    return {"filter_metadata": dict(labels)}
