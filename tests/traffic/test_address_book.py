"""When each client model looks up, and that it uses nothing that it has not looked up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.client_models.catalogue import MODELS
from testbed.client_models.client_model import LookUp, OnNewAnswer
from testbed.resolvers.known_resolvers import names
from testbed.resolvers.resolver import Answer
from testbed.resolvers.resolver_model import Outcome
from testbed.traffic.address_book import AddressBook
from testbed.traffic.played_models import played_models
from tests.traffic.simulated_client import NEW, OLD, Zone, play

FLIP = 1000.0
PLAYED = [name for name in played_models() if name != "grpcio"]
SPACING = 0.2


def book(name: str, *, ttl: float = 60.0, at: float = 0.0) -> AddressBook:
    made = AddressBook(MODELS[name])
    made.learn(at, Answer(Outcome.ADDRESSES, (OLD,), ttl))
    return made


@pytest.mark.parametrize(
    ("name", "kept"),
    [("python-requests", 0), ("python-aiohttp", 10), ("java-http1", 30), ("libcurl", 60), ("php-curl", 120)],
)
def test_an_answer_is_kept_from_its_look_up_on_whatever_its_use(name, kept):
    made = book(name)
    for now in range(1, kept):
        assert not made.is_due(now)
    assert made.is_due(kept)


def test_a_client_that_looks_once_never_looks_again():
    assert not book("nginx").is_due(1e9)


@pytest.mark.parametrize(("name", "kept"), [("java-http1", 10), ("libcurl", 30), ("python-requests", 0)])
def test_no_such_name_is_remembered_as_the_library_does(name, kept):
    made = AddressBook(MODELS[name])
    made.learn(0.0, Answer(Outcome.NO_NAME, soa_ttl=900, soa_minimum=900))
    assert not made.addresses
    assert made.problem == "NXDOMAIN"
    assert all(not made.is_due(now) for now in range(kept))
    assert made.is_due(kept)


def test_only_apache_looks_again_after_a_refused_connection():
    looking_again = []
    for name in PLAYED:
        made = book(name)
        before = made.is_due(0.1)
        made.refused()
        if made.is_due(0.1) and not before:
            looking_again.append(name)
    assert looking_again == ["apache"]


def limit(name: str) -> float | None:
    """The follow time that a model's own values promise at most, with TTL 0 and no resolver between."""
    model = MODELS[name]
    if not model.follows_by_itself:
        return None
    if model.looks_up is LookUp.INTERVAL:
        return model.interval
    return model.cache.lifetime(0.0)


@pytest.mark.parametrize("name", PLAYED)
@pytest.mark.parametrize("phase", [0.0, 0.7, 3.9])
def test_with_ttl_0_and_no_resolver_the_follow_time_is_the_models_own_limit(name, phase):
    longest = limit(name)
    start = FLIP - 40 - phase
    played = play(MODELS[name], Zone(FLIP), start=start, until=FLIP + 200, every=SPACING)
    found = played.follows(FLIP)
    if longest is None:
        assert found is None
        return
    assert found is not None
    assert found <= longest + SPACING
    # Not better than the library, either: as late as its last look-up before the flip makes it.
    last = max(at for at in played.looked_up if at < FLIP)
    assert last + longest - FLIP - 1e-6 <= found <= last + longest - FLIP + SPACING + 1e-6


@pytest.mark.parametrize(
    ("name", "ties"),
    [("php-curl", True), ("libcurl", True), ("java-urlconnection", True), ("python-requests", False)],
)
def test_a_drain_within_the_life_of_the_cache_ties_to_the_old_address_again(name, ties):
    zone = Zone(FLIP, ttl=2.0)
    found = play(MODELS[name], zone, start=FLIP - 20, until=FLIP + 120, drains=(FLIP + 5,))
    assert found.failed == 0
    assert (found.follows(FLIP) is None) is ties
    assert len(found.looked_up) == (1 if ties else 2)


@pytest.mark.parametrize(
    ("name", "back"),
    [("libcurl", 40.0), ("php-curl", 100.0), ("java-urlconnection", 10.0), ("go-net-http", 5.0)],
)
def test_a_dead_old_side_costs_the_rest_of_the_cache(name, back):
    found = play(MODELS[name], Zone(FLIP, ttl=2.0), start=FLIP - 20, until=FLIP + 150, dead={OLD: FLIP + 5})
    assert found.follows(FLIP) == pytest.approx(back, abs=SPACING + 0.01)


def test_nginx_never_recovers_and_apache_at_once():
    dead = {OLD: FLIP + 5}
    nginx = play(MODELS["nginx"], Zone(FLIP), start=FLIP - 20, until=FLIP + 150, dead=dead)
    apache = play(MODELS["apache"], Zone(FLIP), start=FLIP - 20, until=FLIP + 150, dead=dead)
    assert nginx.follows(FLIP) is None
    assert apache.follows(FLIP) == pytest.approx(5.0, abs=2 * SPACING)


@given(
    st.sampled_from(PLAYED),
    st.sampled_from(names()),
    st.sampled_from([0.0, 1.0, 2.0, 60.0]),
    st.floats(0.2, 20.0),
    st.lists(st.floats(FLIP - 30, FLIP + 60), max_size=3),
    st.tuples(st.floats(FLIP - 30, FLIP + 30), st.floats(0.0, 5.0)),
)
def test_a_client_never_uses_an_address_that_it_has_not_looked_up(name, between, ttl, every, drains, hole):
    zone = Zone(FLIP, ttl=ttl, hole=(hole[0], hole[0] + hole[1]))
    model = MODELS[name]
    found = play(
        model, zone, start=FLIP - 40, until=FLIP + 60, every=every, between=between, drains=tuple(drains)
    )
    assert {address for _, address in found.requests if address} <= found.heard
    if model.on_new_answer is OnNewAnswer.KEEPS and model.keeps_connection and not drains and every < 1:
        assert found.follows(FLIP) is None or found.failed or hole[0] < FLIP
    assert found.heard <= {OLD, NEW}
