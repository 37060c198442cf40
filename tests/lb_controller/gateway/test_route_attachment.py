from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller.gateway.gateway_objects import GatewayObjects
from testbed.lb_controller.gateway.route_attachment import attached, attachment, common_hostnames
from tests.lb_controller.gateway import examples
from tests.lb_controller.gateway.examples import gateway, listener, route

LABELS = st.lists(st.sampled_from(["a", "b", "api", "www"]), min_size=1, max_size=3)
HOSTS = st.builds(
    lambda labels, wild: ("*." if wild else "") + ".".join([*labels, "example.com"]), LABELS, st.booleans()
)


@pytest.mark.parametrize(
    ("of_route", "of_listener", "both"),
    [
        ([], None, ()),
        (["a.example.com"], None, ("a.example.com",)),
        ([], "*.example.com", ("*.example.com",)),
        (["a.example.com"], "*.example.com", ("a.example.com",)),
        (["*.example.com"], "a.example.com", ("a.example.com",)),
        (["a.b.example.com"], "*.example.com", ("a.b.example.com",)),
        (["example.com"], "*.example.com", None),
        (["a.example.com", "a.example.org"], "*.example.com", ("a.example.com",)),
        (["b.example.com"], "a.example.com", None),
    ],
)
def test_the_narrower_name_of_route_and_listener_counts(
    of_route: list[str], of_listener: str | None, both: tuple[str, ...] | None
) -> None:
    assert common_hostnames(of_route, of_listener) == both


@given(HOSTS, HOSTS)
def test_which_of_the_two_says_a_name_makes_no_difference(one: str, other: str) -> None:
    assert common_hostnames([one], other) == common_hostnames([other], one)


def reason(of: examples.Json, *listeners: examples.Json) -> str:
    found = gateway(*listeners)
    parent = of["spec"]["parentRefs"][0]
    return attachment(of, parent, found, GatewayObjects.of([found, of])).accepted.reason


def test_a_grpc_route_attaches_to_an_https_listener_only() -> None:
    http = listener("http", 80, "HTTP")
    assert reason(route("GRPCRoute"), http) == "NotAllowedByListeners"
    assert reason(route("GRPCRoute"), http, listener()) == "Accepted"
    named = listener("http", 80, "HTTP", allowedRoutes={"kinds": [{"kind": "GRPCRoute"}]})
    assert reason(route("GRPCRoute"), named) == "Accepted"


def test_a_route_names_the_listener_that_it_wants() -> None:
    assert reason(route(sectionName="https"), listener()) == "Accepted"
    assert reason(route(sectionName="other"), listener()) == "NoMatchingParent"
    assert reason(route(hosts=("b.example.com",)), listener(hostname="a.example.com")) == (
        "NoMatchingListenerHostname"
    )


@pytest.mark.parametrize(
    ("allowed", "wanted"),
    [
        ({}, "NotAllowedByListeners"),
        ({"from": "Same"}, "NotAllowedByListeners"),
        ({"from": "All"}, "Accepted"),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "pay"}}}, "Accepted"),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "x"}}}, "NotAllowedByListeners"),
    ],
)
def test_a_listener_allows_namespaces(allowed: examples.Json, wanted: str) -> None:
    found = gateway(listener(allowedRoutes={"namespaces": allowed}))
    of = route(namespace="shop")
    of["metadata"]["namespace"] = "pay"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "pay", "labels": {"team": "pay"}}}
    objects = GatewayObjects.of([found, of, space])
    assert attachment(of, of["spec"]["parentRefs"][0], found, objects).accepted.reason == wanted


def test_a_route_is_at_each_listener_once_however_often_it_names_the_gateway() -> None:
    of = route()
    of["spec"]["parentRefs"] *= 2
    found = gateway(listener(), listener("http", 80, "HTTP"))
    at = attached(found, GatewayObjects.of([found, of]))
    assert {name: len(routes) for name, routes in at.items()} == {"https": 1, "http": 1}
