from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller.gateway.route_attachment import Attached
from testbed.lb_controller.gateway.route_matches import ordered, path_prefix
from tests.lb_controller.gateway.examples import Json, path, route, to

CANARY = {"name": "x-canary", "value": "on"}


def paths(*attached: Attached) -> list[str]:
    return [
        "|".join(value for one in match.conditions() for value in (*one.values, *one.regex_values))
        for match in ordered(attached)
    ]


def test_exact_paths_come_first_then_long_prefixes_then_expressions() -> None:
    rules = [to("web", matches=[one]) for one in (path("/.*", "RegularExpression"), path("/"), path("/api"))]
    of = route("HTTPRoute", *rules, to("web", matches=[path("/api", "Exact")]))
    assert paths(Attached(of)) == ["/api", "/api|/api/*", "/*", "/.*"]


def test_a_method_comes_before_headers_and_headers_before_none() -> None:
    by_header, by_method = path("/a", headers=[CANARY]), path("/a", method="GET")
    of = route("HTTPRoute", to("web", matches=[path("/a"), by_header, by_method]))
    assert paths(Attached(of)) == ["/a|/a/*|GET", "/a|/a/*|on", "/a|/a/*"]


def test_a_name_comes_before_a_wildcard_and_both_before_any_host() -> None:
    named = Attached(route(name="a"), ("*.example.com", "www.example.com"))
    assert paths(named, Attached(route(name="b"))) == ["www.example.com|/*", "*.example.com|/*", "/*"]


def test_a_grpc_service_comes_before_every_prefix() -> None:
    grpc = route("GRPCRoute", {"matches": [{"method": {"service": "shop.v1.Orders", "method": "Get"}}, {}]})
    assert paths(Attached(grpc), Attached(route("HTTPRoute", to("web", matches=[path("/shop.v1")])))) == [
        "/shop.v1.Orders/Get", "/shop.v1|/shop.v1/*", "/*",
    ]  # fmt: skip


def test_the_older_route_comes_first() -> None:
    old, new = route(name="z"), route(name="a")
    new["metadata"]["creationTimestamp"] = "2026-02-01T00:00:00Z"
    assert [match.route["metadata"]["name"] for match in ordered([Attached(new), Attached(old)])] == [
        "z",
        "a",
    ]


def test_a_prefix_ends_at_a_slash() -> None:
    assert paths(Attached(route("HTTPRoute", to("web", matches=[path("/api/")])))) == ["/api|/api/*"]
    assert path_prefix(path("/api/")) == "/api/"


def test_each_query_parameter_is_a_condition_of_its_own() -> None:
    both = path("/", queryParams=[{"name": "a", "value": "1"}, {"name": "b", "value": "2"}])
    (match,) = ordered([Attached(route("HTTPRoute", to("web", matches=[both])))])
    assert [one.field for one in match.conditions()] == ["path-pattern", "query-string", "query-string"]


MATCHES = st.builds(
    lambda value, kind, method, headers: path(value, kind, **method, headers=headers),
    st.sampled_from(["/", "/a", "/a/b"]),
    st.sampled_from(["Exact", "PathPrefix", "RegularExpression"]),
    st.sampled_from([{}, {"method": "GET"}]),
    st.lists(st.just(CANARY), max_size=2),
)


@given(st.lists(st.lists(MATCHES, min_size=1, max_size=3), min_size=1, max_size=4), st.integers())
def test_the_order_in_which_routes_came_makes_no_difference(matches: list[list[Json]], seed: int) -> None:
    attached = [
        Attached(route("HTTPRoute", to("web", matches=one), name=f"r{number}"), ("a.example.com",))
        for number, one in enumerate(matches)
    ]
    shuffled = random.Random(seed).sample(attached, len(attached))
    assert ordered(attached) == ordered(shuffled)
