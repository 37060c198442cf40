"""Each HTTP client model against its library at speed 1: what the rules predict is what happens.

The prediction takes the moments of the library's own calls and of the events; the rules are the engine's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from testbed.client_models.catalogue import MODELS
from testbed.resolvers.resolver import Answer
from tests.real_clients.conftest import ALL, Timeline
from tests.real_clients.lab import NEW, SOA_TTL, TTL
from tests.traffic.simulated_client import Played, Zone, play

pytestmark = pytest.mark.real_client

NEAR = 0.5
"""Seconds by which a library may leave earlier or later than predicted."""
LIBRARIES = ("requests", "urllib3", "httpx", "aiohttp", "boto3", "node fetch", "node http")
if ALL:
    LIBRARIES += ("go", "java client", "java urlconnection", "pycurl", "nginx", "haproxy")
DRAINS = Timeline(((3.0, "flip"), (6.0, "drain"), (13.0, "drain")), every=0.2, count=85)
"""The second drain comes when aiohttp's answer, of 10 s, is old."""
IDLE = Timeline(((9.0, "flip"),), every=7.0, count=4)
HOLE = Timeline(((2.0, "flip"), (4.0, "hole"), (5.0, "drain"), (7.0, "hole_ends")), every=0.2, count=60)


@dataclass
class SeenZone(Zone):
    """The zone at the moments of the real questions: on a busy machine they come some time after the call."""

    questions: Sequence[float] = ()

    def say(self, now: float) -> Answer:
        return super().say(next((at for at in self.questions if at >= now), now))


def predicted(model: str, seen: Mapping[str, Any]) -> Played:
    events = seen["events"]
    hole = (events["hole"][0], events["hole_ends"][0]) if "hole" in events else (0.0, 0.0)
    zone = SeenZone(
        events["flip"][0], ttl=TTL, hole=hole, soa=(SOA_TTL, SOA_TTL), questions=seen["questions"]
    )
    calls = [(began, ended) for began, ended, _ in seen["calls"]]
    return play(MODELS[model], zone, calls=calls, drains=tuple(events.get("drain", ())))


def agrees(model: str, seen: Mapping[str, Any]) -> Played:
    """Check what happened against the prediction, and return that."""
    expected = predicted(model, seen)
    flip = seen["events"]["flip"][0]
    left = next((at - flip for at, address in seen["requests"] if address == NEW), None)
    promised = expected.follows(flip)
    assert (left is None) == (promised is None), (left, promised)
    if left is not None and promised is not None:
        assert abs(left - promised) <= NEAR
    assert sum(bool(problem) for _, _, problem in seen["calls"]) == expected.failed
    assert len(seen["questions"]) == len(expected.looked_up)
    return expected


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_busy_client_leaves_at_the_drain_unless_its_cache_ties_it(played, library):
    model, seen = played(DRAINS)[library]
    expected = agrees(model, seen)
    assert expected.failed == 0
    left = expected.follows(0.0)
    first, second = seen["events"]["drain"]
    # A look-up that is young at a drain ties a client with a cache to the old side again.
    if MODELS[model].cache.seconds > second and model != "java-http1":  # its cache outlives both drains
        assert left is None
    elif model != "java-http1":  # which follows by its cache, drain or not
        assert left is not None
        assert left > second if library == "aiohttp" else first < left < second


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_client_that_idles_leaves_by_its_idle_limit_or_not_at_all(played, library):
    model, seen = played(IDLE)[library]
    expected = agrees(model, seen)
    if MODELS[model].cache.seconds < IDLE.every:
        assert (expected.follows(0.0) is not None) is (MODELS[model].max_idle < IDLE.every)


@pytest.mark.parametrize(
    "library", [one for one in LIBRARIES if one != "boto3"]
)  # it retries, with pauses by lot
def test_a_name_that_is_gone_for_two_seconds_costs_as_many_calls_and_look_ups_as_predicted(played, library):
    model, seen = played(HOLE)[library]
    expected = agrees(model, seen)
    # A client with a cache reconnects by it to the old side, and has no look-up in the hole.
    assert bool(expected.failed) is (MODELS[model].cache.seconds == 0)
