from __future__ import annotations

import pytest

from testbed.client_models import proxies

NAMED = {one.name: one for one in proxies.MODELS}


@pytest.mark.parametrize("name", ["nginx", "haproxy"])
def test_a_proxy_without_a_resolver_looks_up_once(name: str) -> None:
    assert NAMED[name].looks_up_at(1e9, 0.0, 2.0) is None
    assert not NAMED[name].cache.dropped_when_refused


def test_apache_looks_up_again_when_a_connection_is_refused() -> None:
    assert NAMED["apache"].looks_up_at(1e9, 0.0, 2.0) is None
    assert NAMED["apache"].cache.dropped_when_refused


@pytest.mark.parametrize(
    ("name", "ttl", "lifetime"),
    [("nginx-resolver", 2, 3), ("nginx-resolver", 0, 1), ("squid", 2, 60), ("squid", 300, 300)],
)
def test_a_proxy_may_keep_an_answer_for_longer_than_its_ttl(name: str, ttl: float, lifetime: float) -> None:
    assert NAMED[name].cache.lifetime(ttl) == lifetime


@pytest.mark.parametrize(
    ("name", "interval", "follows"),
    [("envoy-strict-dns", 5, True), ("envoy-logical-dns", 5, True), ("haproxy-resolvers", 1, False)],
)
def test_a_proxy_that_asks_by_the_clock_may_still_keep_its_connections(
    name: str, interval: float, follows: bool
) -> None:
    assert NAMED[name].interval == interval
    assert NAMED[name].follows_by_itself is follows
