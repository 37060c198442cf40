"""From shares to whole clients."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.client_models.population import DEFAULT_POPULATION, Population
from testbed.errors import BadInput
from testbed.traffic.played_models import played_models
from testbed.traffic.played_population import MOST_CLIENTS, check_pace, client_groups
from testbed.traffic.traffic_plan import ClientGroup

shares = st.dictionaries(st.sampled_from(played_models()), st.floats(0.001, 1.0), min_size=1, max_size=6)


def test_without_a_word_eight_channels_of_an_app_and_two_servers_with_a_keep_alive_pool():
    assert client_groups(DEFAULT_POPULATION) == (ClientGroup("grpcio", 8), ClientGroup("python-requests", 2))


def test_resolvers_and_ages_are_those_of_the_part():
    made = Population.of({"grpcio": {"share": 0.5, "resolver": "unbound", "age": [60, 300]}, "boto3": 0.5})
    assert client_groups(made, 4) == (ClientGroup("grpcio", 2, "unbound", 240.0), ClientGroup("boto3", 2))


def test_region_and_pace_are_those_of_the_part():
    slow = {"share": 0.5, "region": "eu-west-1", "requests_every": 30}
    made = Population.of([{"model": "grpcio", "share": 0.5}, {"model": "grpcio", **slow}])
    assert client_groups(made, 4) == (
        ClientGroup("grpcio", 2),
        ClientGroup("grpcio", 2, region="eu-west-1", requests_every=30.0),
    )


def test_a_pace_must_leave_requests_to_the_others():
    groups = (ClientGroup("grpcio", 5), ClientGroup("grpcio", 30, requests_every=30.0))
    check_pace(groups, speed=60.0, rate=500.0)
    with pytest.raises(BadInput, match="asks for 60 requests a second, and the run sends 50"):
        check_pace(groups, speed=60.0, rate=50.0)


@given(shares, st.integers(6, MOST_CLIENTS))
def test_all_clients_are_given_and_no_part_is_off_by_more_than_rounding(clients, count):
    made = Population.of(clients)
    groups = client_groups(made, count)
    assert sum(group.count for group in groups) == count
    for part, group in zip(made.parts, groups, strict=True):
        assert group.count >= 1
        # A part without a whole client takes one from the others.
        assert abs(group.count - part.share * count) < len(groups) + 1


@pytest.mark.parametrize(
    ("clients", "count", "what"),
    [
        ({"grpclib": 1}, 10, "grpclib cannot be played.*python-requests"),
        ({"grpcio": 0.5, "boto3": 0.5}, 1, "from 2 to"),
        ({"grpcio": 1}, MOST_CLIENTS + 1, "client_count"),
        ({"grpcio": {"share": 1, "requests_every": 5}}, 10, "requests_every of grpcio cannot be played"),
        ({"grpcio": 0.5, "boto3": {"share": 0.5, "requests_every": 5}}, 10, "requests_every of boto3"),
    ],
)
def test_what_cannot_be_played_is_refused(clients, count, what):
    with pytest.raises(BadInput, match=what):
        client_groups(Population.of(clients), count)
