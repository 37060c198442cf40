from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.client_models import MODELS, NEVER, Population
from testbed.forecast.drain_forecast import drain, why_never
from testbed.forecast.leaving import Side
from testbed.resolvers.known_resolvers import names
from tests.forecast.simulated_clients import clients

RESOLVER_NAMES = [name for name in names() if "serve-stale" not in name]


@settings(max_examples=40, deadline=None)
@given(
    shares=st.dictionaries(st.sampled_from(list(MODELS)), st.floats(0.01, 1), min_size=1, max_size=6),
    resolver=st.sampled_from(RESOLVER_NAMES),
    age=st.one_of(st.just(NEVER), st.floats(5, 600)),
    every=st.floats(0.2, 100),
)
def test_a_drain_curve_never_rises(shares: dict[str, float], resolver: str, age: float, every: float) -> None:
    population = Population.of({name: {"share": one, "resolver": resolver} for name, one in shares.items()})
    found = drain(population, 1000, Side.nlb(age), every=every, horizon=900)
    assert all(later <= earlier + 1e-6 for earlier, later in itertools.pairwise(found.connections))
    assert 0 <= found.left <= found.began_with <= 1000 + 1e-6
    assert len(found.connections) == 901
    half, most = found.left_by(0.5), found.left_by(0.01)
    assert most is None or (half is not None and half <= most)


def test_a_population_drains_as_a_thousand_simulated_clients_do() -> None:
    population = Population.of({"grpcio": 0.5, "libcurl": 0.3, "python-requests": 0.2})
    old = Side(350.0, 120.0)
    found = drain(population, 1000, old, every=2.0, horizon=300)
    lives = [
        life
        for part in population.parts
        for life in clients(part, round(1000 * part.share), old, 2.0, 60.0, 300.0)
    ]
    for minute, forecast in enumerate(found.by_minute()):
        left = sum(life.left is None or life.left > 60 * minute + 1 for life in lives)
        assert forecast == pytest.approx(left, abs=50), minute


def test_percentiles_and_the_last_are_read_off_the_curve() -> None:
    found = drain(Population.of({"grpcio": 1}), 10_000, Side.nlb(300.0), every=1.0, horizon=600)
    assert found.began_with == 10_000
    assert found.left_by(0.5) == 150
    assert found.left_by(0.01) == 297
    assert found.last == 300
    assert found.never == 0


def test_who_never_leaves_stays_on_the_curve() -> None:
    found = drain(
        Population.of({"python-requests": 0.25, "grpcio": 0.75}), 1000, Side.nlb(None), every=1, horizon=60
    )
    assert found.never == 1000
    assert (found.left_by(0.5), found.last) == (None, None)
    assert [why_never(part) for part in found.parts] == [
        "end their connections: set a maximum connection age at the targets"
    ] * 2


@pytest.mark.parametrize(
    ("clients_of", "text"),
    [
        ({"nginx": 1}, "restart them"),
        ({"apache": 1}, "remove the old balancer"),
        ({"ttl-pool": {"share": 1, "resolver": "forever"}}, "change their resolver"),
        ({"go-net-http": 1}, ""),
    ],
)
def test_what_would_move_those_that_never_leave_is_said(clients_of: object, text: str) -> None:
    found = drain(Population.of(clients_of), 10, Side.nlb(300.0), every=1, horizon=60)  # type: ignore[arg-type]
    assert why_never(found.parts[0]) == text


def test_connections_that_java_abandoned_are_open_for_longer_than_its_clients_use_them() -> None:
    found = drain(Population.of({"java-http1": 1}), 1000, Side.nlb(300.0), every=1, horizon=600)
    assert found.connections[60] == 1000
    assert sum(found.arrivals[0].seconds[:31]) == pytest.approx(1000)
    assert found.last == 379  # the request before the one that left was the last
