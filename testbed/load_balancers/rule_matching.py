"""Listener rules of an Application Load Balancer as values, and how they match a request.

`choose` is the reference: for every request, the routes of Envoy (`envoy_routes.py`) must lead where `choose`
leads; tests compare the two. Matching follows the ALB guide, "Listener rules": host names and header values
ignore case, paths and methods do not; `*` stands for 0 or more characters and `?` for exactly one; values
inside a condition are alternatives, conditions must all hold.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class HostHeader:
    """Condition `host-header`: names with wildcards, case ignored; the port of the header is not compared.

    In this and the next two, `regexes` are regular expressions that may match anywhere (since 2025).
    """

    values: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PathPattern:
    """Condition `path-pattern`: the path without its query, case-sensitive."""

    values: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpHeader:
    """Condition `http-header`: the value of a header, case ignored."""

    name: str
    values: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Method:
    """Condition `http-request-method`: exact and case-sensitive."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueryString:
    """Condition `query-string`: (key, value) pairs, case ignored; None as key matches any key."""

    values: tuple[tuple[str | None, str], ...]


@dataclass(frozen=True, slots=True)
class SourceIp:
    """Condition `source-ip`: the address of the peer, never the one in X-Forwarded-For."""

    values: tuple[str, ...]


Condition = HostHeader | PathPattern | HttpHeader | Method | QueryString | SourceIp


@dataclass(frozen=True, slots=True)
class Forward:
    """Forward to target groups: (ARN, weight 0..999); clients keep their group for `sticky` seconds."""

    groups: tuple[tuple[str, int], ...]
    sticky: float = 0.0


@dataclass(frozen=True, slots=True)
class Redirect:
    """Redirect; the parts may contain #{protocol} #{host} #{port} #{path} #{query}."""

    status: int
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


@dataclass(frozen=True, slots=True)
class FixedResponse:
    """Answer by the balancer itself."""

    status: int
    content_type: str = ""
    body: str = ""


Action = Forward | Redirect | FixedResponse


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; priority 0 is the default rule, which comes last and has no condition."""

    priority: int
    action: Action
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of a request that rules match. Header names are lower case; `path` may have a query."""

    host: str
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    source: str = "127.0.0.1"


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """Sort rules by ascending priority, the default rule last."""
    return sorted(rules, key=lambda rule: (rule.priority == 0, rule.priority))


def choose(rules: Sequence[Rule], request: Request) -> Rule | None:
    """Return the first rule in order that matches."""
    return next((rule for rule in in_order(rules) if matches(rule, request)), None)


def matches(rule: Rule, request: Request) -> bool:
    """True if all conditions of the rule hold."""
    return all(_holds(condition, request) for condition in rule.conditions)


def wildcard(pattern: str) -> str:
    r"""Convert a pattern of the ALB to a regular expression for RE2 and Python.

    Only query strings have the escape `\\` before `*`, `?` or `\\` [ALB guide]: see `query_wildcard`.
    """
    pieces = {"*": ".*", "?": "."}
    return "".join(pieces.get(character) or re.escape(character) for character in pattern)


def query_wildcard(pattern: str) -> str:
    r"""Convert a pattern for a query string: it stays inside one pair, and `\*`, `\?`, `\\` are literal."""
    expression = ""
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            expression += re.escape(next(characters, "\\"))
        else:
            expression += {"*": "[^&]*", "?": "[^&]"}.get(character) or re.escape(character)
    return expression


def _holds(condition: Condition, request: Request) -> bool:
    path, _, query = request.path.partition("?")
    match condition:
        case HostHeader(values, regexes):
            # Clients that call another port than the default name it in the Host header.
            host = re.sub(r":\d+$", "", request.host)
            return _finds(regexes, host, re.IGNORECASE) or any(
                _like(value.lower(), host.lower()) for value in values
            )
        case PathPattern(values, regexes):
            return _finds(regexes, path) or any(_like(value, path) for value in values)
        case HttpHeader(name, values, regexes):
            header = request.headers.get(name.lower())
            return header is not None and (
                _finds(regexes, header, re.IGNORECASE)
                or any(_like(value.lower(), header.lower()) for value in values)
            )
        case Method(values):
            return request.method in values
        case QueryString(values):
            pairs = [pair.partition("=") for pair in query.split("&")] if "?" in request.path else []
            return any(_pair_like(pattern, pairs) for pattern in values)
        case SourceIp(values):
            peer = ipaddress.ip_address(request.source)
            return any(peer in ipaddress.ip_network(value, strict=False) for value in values)


@lru_cache(4096)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL)


def _finds(regexes: Iterable[str], text: str, flags: int = 0) -> bool:
    return any(re.search(regex, text, flags | re.DOTALL) for regex in regexes)


def _like(pattern: str, text: str) -> bool:
    return _compiled(wildcard(pattern)).fullmatch(text) is not None


def _pair_like(pattern: tuple[str | None, str], pairs: Sequence[tuple[str, str, str]]) -> bool:
    key, value = pattern
    return any(
        separator == "="
        and (key is None or _compiled(query_wildcard(key.lower())).fullmatch(name.lower()))
        and _compiled(query_wildcard(value.lower())).fullmatch(content.lower())
        for name, separator, content in pairs
    )
