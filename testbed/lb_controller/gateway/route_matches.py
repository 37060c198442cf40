"""A match of an HTTPRoute or a GRPCRoute: its conditions in ELBv2, and its place among all matches.

The order is that of the Gateway API: host name, path, method, headers, query, age of the route, its name.
A GRPCRoute with a service counts as an exact path, so it comes before every prefix. Seen in recordings of
v3.5.0, whose order came with v3.4.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core.build_inputs import KubernetesObject
from testbed.lb_controller.core.stack import Condition, QueryPair
from testbed.lb_controller.gateway.gateway_objects import GRPC_ROUTE
from testbed.lb_controller.gateway.route_attachment import Attached

_EXACT, _PREFIX, _REGEX = "Exact", "PathPrefix", "RegularExpression"
_PATH_RANKS = {_EXACT: 0, _PREFIX: 1, _REGEX: 2}
_NO_PATH = 3
_EVERY_PATH: Mapping[str, Any] = {"path": {"type": _PREFIX, "value": "/"}}
"""The match of an HTTPRoute's rule that has none, a default of the CRD."""


@dataclass(frozen=True, slots=True)
class Match:
    """A match of a rule, for one host name.

    Attributes:
        hostname: None for any.
        rule: `spec.rules[rule_index]`.
        match: `matches[match_index]` of it.
        place: sorts matches, the first is tried first.
    """

    route: KubernetesObject
    hostname: str | None
    rule: Mapping[str, Any]
    rule_index: int
    match: Mapping[str, Any]
    match_index: int
    place: tuple[Any, ...]

    @property
    def is_grpc(self) -> bool:
        """True for a match of a GRPCRoute."""
        return bool(self.route["kind"] == GRPC_ROUTE)

    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of its listener rule."""
        host = (Condition(field="host-header", values=(self.hostname,)),) if self.hostname else ()
        path = _grpc_path(self.match) if self.is_grpc else _path(self.match)
        headers = tuple(_header(one) for one in self.match.get("headers") or ())
        queries = tuple(
            Condition(field="query-string", query=(QueryPair(key=one["name"], value=one["value"]),))
            for one in self.match.get("queryParams") or ()
        )
        method = self.match.get("method")
        by_method = isinstance(method, str) and method
        verb = (Condition(field="http-request-method", values=(str(method),)),) if by_method else ()
        return (*host, path, *headers, *queries, *verb)


def ordered(attached: Sequence[Attached]) -> list[Match]:
    """All matches of the routes at a listener, in the order in which they are tried."""
    return sorted((match for one in attached for match in _matches(one)), key=lambda match: match.place)


def path_prefix(match: Mapping[str, Any]) -> str:
    """The path of a match as it is written; "/" without one."""
    return str((match.get("path") or {}).get("value") or "/")


def _matches(attached: Attached) -> Iterator[Match]:
    route = attached.route
    is_grpc = route["kind"] == GRPC_ROUTE
    for rule_index, rule in enumerate(object_fields.spec(route).get("rules") or ()):
        for match_index, match in enumerate(rule.get("matches") or ({} if is_grpc else _EVERY_PATH,)):
            shape = match if is_grpc or match.get("path") else {**match, **_EVERY_PATH}
            for host_index, host in enumerate(attached.hostnames or (None,)):
                place = (
                    _host_rank(host),
                    *(_grpc_ranks(shape) if is_grpc else _http_ranks(shape)),
                    str(object_fields.metadata(route).get("creationTimestamp") or ""),
                    object_fields.key(route),
                    rule_index,
                    match_index,
                    host_index,
                )
                yield Match(route, host, rule, rule_index, shape, match_index, place)


def _host_rank(host: str | None) -> tuple[int, int, int]:
    """Exact names before wildcards, then more labels, then more characters; any host comes last."""
    if host is None:
        return (2, 0, 0)
    return (int(host.startswith("*")), -host.count("."), -len(host))


def _http_ranks(match: Mapping[str, Any]) -> tuple[Any, ...]:
    path = match.get("path") or {}
    value = str(path.get("value") or "/")
    return (
        _PATH_RANKS.get(str(path.get("type") or _PREFIX), _NO_PATH),
        -len(value),
        0,
        0 if match.get("method") else 1,
        -len(match.get("headers") or ()),
        -len(match.get("queryParams") or ()),
    )


def _grpc_ranks(match: Mapping[str, Any]) -> tuple[Any, ...]:
    method = match.get("method") or {}
    service, name = str(method.get("service") or ""), str(method.get("method") or "")
    rank = _PATH_RANKS.get(str(method.get("type") or _EXACT), _NO_PATH) if service or name else _NO_PATH
    return (rank, -len(service), -len(name), 1, -len(match.get("headers") or ()), 0)


def _path(match: Mapping[str, Any]) -> Condition:
    path = match.get("path") or {}
    value = str(path.get("value") or "/")
    match path.get("type") or _PREFIX:
        case "RegularExpression":
            return Condition(field="path-pattern", regex_values=(value,))
        case "Exact":
            return Condition(field="path-pattern", values=(value,))
        case _:
            stem = value.rstrip("/")
            return Condition(field="path-pattern", values=(stem, f"{stem}/*") if stem else ("/*",))


def _grpc_path(match: Mapping[str, Any]) -> Condition:
    method = match.get("method") or {}
    service, name = str(method.get("service") or ""), str(method.get("method") or "")
    if method.get("type") == _REGEX:
        return Condition(field="path-pattern", regex_values=(f"/{service or '.*'}/{name or '.*'}",))
    if not service and not name:
        return Condition(field="path-pattern", values=("/*",))
    return Condition(field="path-pattern", values=(f"/{service or '*'}/{name or '*'}",))


def _header(header: Mapping[str, Any]) -> Condition:
    value = (str(header["value"]),)
    is_regex = header.get("type") == _REGEX
    return Condition(
        field="http-header",
        header_name=header["name"],
        values=() if is_regex else value,
        regex_values=value if is_regex else (),
    )
