from __future__ import annotations

import pytest

from testbed.load_balancers.rule_matching import (
    Condition,
    FixedResponse,
    HostHeader,
    HttpHeader,
    Method,
    PathPattern,
    QueryString,
    Request,
    Rule,
    SourceIp,
    choose,
    matches,
)

ANSWER = FixedResponse(200)


def holds(condition: Condition, **request: object) -> bool:
    given = {"host": "example.com", "path": "/", **request}
    return matches(Rule(1, ANSWER, (condition,)), Request(**given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        ("example.com", "EXAMPLE.com:8443", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("a?.example.com", "a1.example.com", True),
        ("a?.example.com", "a.example.com", False),
    ],
)
def test_hosts_ignore_case_and_port(pattern: str, host: str, expected: bool) -> None:
    assert holds(HostHeader((pattern,)), host=host) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/img/*", "/img/a/b?x=1", True),
        ("/img/*", "/IMG/a", False),
        ("/img/*", "/img", False),
        ("/img/*/pics", "/img/a/b/pics", True),
        ("/a.b", "/axb", False),
    ],
)
def test_paths_keep_case_and_leave_the_query_out(pattern: str, path: str, expected: bool) -> None:
    assert holds(PathPattern((pattern,)), path=path) is expected


def test_methods_keep_case_and_headers_ignore_it() -> None:
    assert not holds(Method(("GET",)), method="get")
    assert holds(HttpHeader("User-Agent", ("*chrome*",)), headers={"user-agent": "a CHROME b"})
    assert not holds(HttpHeader("User-Agent", ("*",)))


def test_a_query_value_without_key_matches_under_any_key() -> None:
    wanted = QueryString((("version", "v1"), (None, "*example*")))
    assert holds(wanted, path="/?Version=V1&x=2")
    assert holds(wanted, path="/?x=an-example-1")
    assert not holds(wanted, path="/?version=v12")
    assert not holds(wanted, path="/version=v1")


def test_a_backslash_makes_a_wildcard_of_a_query_literal() -> None:
    assert holds(QueryString((("a", r"\*"),)), path="/?a=*")
    assert not holds(QueryString((("a", r"\*"),)), path="/?a=b")


def test_source_ip_is_a_network_of_the_peer() -> None:
    assert holds(SourceIp(("127.0.0.0/9",)), source="127.80.0.1")
    assert not holds(SourceIp(("127.0.0.0/10",)), source="127.80.0.1")


def test_the_lowest_priority_number_wins_and_the_default_rule_is_last() -> None:
    rules = [Rule(0, ANSWER), Rule(7, ANSWER), Rule(3, ANSWER, (PathPattern(("/a*",)),))]
    request = Request(host="example.com", path="/abc")
    assert choose(rules, request) is rules[2]
    assert choose(rules, Request(host="example.com", path="/b")) is rules[1]


@pytest.mark.parametrize(
    ("condition", "request_", "expected"),
    [
        (PathPattern(regexes=("^/api/v[0-9]+/",)), {"path": "/api/v1/x?y"}, True),
        (PathPattern(regexes=("^/API",)), {"path": "/api"}, False),
        (PathPattern(regexes=("x$",)), {"path": "/x?y"}, True),
        (HostHeader(regexes=(r"^a\d\.example\.com$",)), {"host": "A1.example.com:8443"}, True),
        (HttpHeader("X-One", regexes=("^b",)), {"headers": {"x-one": "Bc"}}, True),
        (HttpHeader("X-One", regexes=("^b",)), {}, False),
    ],
)
def test_regular_expressions_match_anywhere_and_only_paths_heed_case(
    condition: Condition, request_: dict[str, object], expected: bool
) -> None:
    assert holds(condition, **request_) is expected
