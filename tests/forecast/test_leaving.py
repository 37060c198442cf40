from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.client_models import MODELS, NEVER, ClientModel, LookUp, Part
from testbed.forecast.leaving import STRATA, Leaving, Side, leaving
from tests.forecast.simulated_clients import NEW, clients, live

MANY = 1000
TOLERANCE = 0.06
"""Of the clients. A thousand drawn by lot differ from their distribution by up to 0.05 (Kolmogorov, 99 %)."""


def part(model: str, **fields: object) -> Part:
    return Part(MODELS[model], 1.0, **fields)  # type: ignore[arg-type]


def still_there(found: Leaving, at: float) -> float:
    gone = 0.0
    for one in found.slices:
        inside = (at - one.start) / one.width if one.width else float(at >= one.start)
        gone += one.share * min(1.0, max(0.0, inside))
    return 1 - gone


CASES = [
    *((name, "direct", 60.0, 2.0, None) for name in MODELS if name != "java-http2"),
    # Its look-ups have a period of their own: where the age is a multiple of it, the two would be in step.
    ("java-http2", "direct", 97.0, 1.7, None),
    *((name, "direct", NEVER, 2.0, None) for name in ("grpcio", "libcurl", "java-http1", "boto3", "squid")),
    *((name, "direct", 10.0, 2.0, None) for name in ("grpcio", "libcurl", "php-curl", "python-requests")),
    *((name, "unbound", 60.0, 1.0, None) for name in ("grpcio", "java-http1", "ttl-pool", "node-fetch")),
    *((name, "ttl-floor:300", 120.0, 1.0, None) for name in ("grpcio", "php-curl", "python-httpx")),
    *((name, "direct", NEVER, 7.0, None) for name in ("python-httpx", "python-aiohttp", "node-http")),
    *((name, "direct", NEVER, 125.0, None) for name in ("go-net-http", "libcurl", "php-curl")),
    ("grpcio", "direct", 300.0, 2.0, (0.0, 100.0)),
    ("python-requests", "dnsmasq", 300.0, 2.0, (100.0, 200.0)),
    ("haproxy-resolvers", "direct", 40.0, 2.0, None),
]


@pytest.mark.parametrize(
    ("model", "resolver", "age", "every", "ages"), CASES, ids=lambda one: str(one).replace("/", "")
)
def test_the_closed_form_is_what_a_thousand_simulated_clients_do(
    model: str, resolver: str, age: float, every: float, ages: tuple[float, float] | None
) -> None:
    one, old = part(model, resolver=resolver, ages=ages), Side(350.0, age)
    found = leaving(one, old, every, 60.0)
    horizon = min(3000.0, (found.last or 300.0) + 60.0)
    lives = clients(one, MANY if found.slices else 50, old, every, 60.0, horizon)

    def there(at: float) -> float:
        return sum(life.left is None or life.left > at for life in lives) / len(lives)

    for at in range(0, int(horizon), max(1, int(horizon / 40))):
        # A simulated client is seen at its requests only, so up to one spacing later.
        assert there(at + every) - TOLERANCE <= still_there(found, at) <= there(at) + TOLERANCE, at


DOCUMENTED_BEST = {
    "grpcio": 30.0,  # grpc.dns_min_time_between_resolutions_ms
    "grpc-js": 30.0,
    "grpc-go": 30.0,
    "python-aiohttp": 10.0,  # ttl_dns_cache
    "libcurl": 60.0,  # CURLOPT_DNS_CACHE_TIMEOUT
    "php-curl": 120.0,
    "java-http1": 30.0,  # networkaddress.cache.ttl
    "java-http2": 30.0,
    "java-urlconnection": 30.0,
    "haproxy-resolvers": 1.0,  # timeout resolve
    "envoy-strict-dns": 5.0,  # dns_refresh_rate
    "envoy-logical-dns": 5.0,
    "squid": 60.0,  # negative_dns_ttl
    "nginx": NEVER,
    "haproxy": NEVER,
    "apache": NEVER,
}
"""Seconds between two look-ups of one process that its documentation promises at best, whatever happens."""


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(list(MODELS)),
    age=st.sampled_from([5.0, 31.0, 90.0, 300.0, NEVER]),
    every=st.sampled_from([0.5, 3.0, 17.0, 65.0]),
    ttl=st.sampled_from([0.0, 2.0, 60.0]),
    seed=st.integers(0, 10_000),
)
def test_a_model_is_never_better_than_its_documented_best_and_uses_only_what_it_looked_up(
    name: str, age: float, every: float, ttl: float, seed: int
) -> None:
    life = live(part(name), Side(350.0, age), every, ttl, 400.0, random.Random(seed))
    times = [time for time, _ in life.looked_up]
    best = DOCUMENTED_BEST.get(name, 0.0)
    assert all(later - earlier >= best - 1e-6 for earlier, later in itertools.pairwise(times))
    for time, address in life.uses:
        assert any(at <= time and answer == address for at, answer in life.looked_up)
    if life.left is not None:
        assert any(answer == NEW and at <= life.left for at, answer in life.looked_up)


@given(
    name=st.sampled_from(list(MODELS)),
    age=st.one_of(st.just(NEVER), st.floats(1.0, 1e4)),
    every=st.floats(0.1, 400.0),
    ttl=st.floats(0, 600),
    resolver=st.sampled_from(
        ["direct", "unbound", "bind", "knot-resolver", "nscd", "ttl-floor:1h", "forever"]
    ),
    ages=st.one_of(st.none(), st.tuples(st.floats(0, 500), st.floats(500, 5000))),
)
@settings(max_examples=200, deadline=None)
def test_shares_add_up_and_nobody_leaves_before_the_alias_moves(
    name: str, age: float, every: float, ttl: float, resolver: str, ages: tuple[float, float] | None
) -> None:
    found = leaving(part(name, resolver=resolver, ages=ages), Side(350.0, age), every, ttl)
    assert found.leavers == pytest.approx(1.0 if found.slices else 0.0)
    assert all(one.start + one.width >= -1e-6 and one.share >= 0 for one in found.slices)
    if found.last is not None:
        assert found.last <= found.hold + found.period * (1 + 1 / STRATA) + 1e-6
    assert 0 <= found.open_share <= 1


@pytest.mark.parametrize("one", MODELS.values(), ids=lambda one: one.name)
def test_with_a_ttl_of_0_and_no_resolver_the_follow_time_is_the_models_own_limit(one: ClientModel) -> None:
    found = leaving(Part(one, 1.0), Side(350.0), 0.2, 0.0)
    own = {
        LookUp.CONNECT: NEVER if one.keeps_connection else max(0.2, one.cache.lifetime(0.0)),
        LookUp.LOSS: NEVER,
        LookUp.REQUEST: max(0.2, one.cache.lifetime(0.0)) if one.follows_by_itself else NEVER,
        LookUp.INTERVAL: one.interval if one.follows_by_itself else NEVER,
    }[one.looks_up]
    assert found.period == pytest.approx(own)
    assert (found.last is None) == (own == NEVER)


def test_an_age_below_30_s_does_not_make_grpc_faster() -> None:
    assert leaving(part("grpcio"), Side(350.0, 10.0), 1.0).last == 30.0
    assert leaving(part("grpcio"), Side(350.0, 60.0), 1.0).last == 60.0


def test_known_ages_say_when_each_connection_leaves() -> None:
    found = leaving(part("grpcio"), Side(350.0, 300.0), 1.0, ages=[10.0, 100.0, 310.0])
    assert sorted(one.start for one in found.slices) == [200.0, 290.0, 290.0]


def test_a_resolver_that_keeps_its_answers_for_ever_holds_everyone() -> None:
    found = leaving(part("ttl-pool", resolver="forever"), Side(350.0, 300.0), 1.0)
    assert found.leavers == 0
    assert found.cause == "its resolver never asks again"


def test_what_java_abandons_stays_open_until_the_balancer_ends_it() -> None:
    found = leaving(part("java-http1"), Side.nlb(300.0), 1.0)
    assert (found.last, found.lingers) == (30.0, 349.0)


@pytest.mark.parametrize(
    ("model", "age", "every", "cause"),
    [
        ("nginx", 300.0, 1.0, "it looks up once, when it starts"),
        ("grpcio", 300.0, 1.0, "the connection age of 300 s"),
        ("grpcio", 10.0, 1.0, "the connection age; it looks up at most every 30 s"),
        ("grpcio", NEVER, 1.0, "nothing ends its connection, and it moves with a new one only"),
        ("node-http", NEVER, 7.0, "its connection idles out between requests, 7 s apart"),
        ("java-http1", NEVER, 1.0, "it looks up every 30 s"),
        ("envoy-strict-dns", NEVER, 1.0, "it looks up every 5 s"),
    ],
)
def test_the_cause_is_said(model: str, age: float, every: float, cause: str) -> None:
    assert leaving(part(model), Side(350.0, age), every).cause == cause
