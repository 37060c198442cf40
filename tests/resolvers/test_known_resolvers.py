"""Resolvers by name."""

from __future__ import annotations

import pytest

from testbed.errors import BadInput
from testbed.resolvers.known_resolvers import names, resolver


@pytest.mark.parametrize("name", names())
def test_every_name_has_a_resolver_of_that_name(name):
    assert resolver(name).name == name


@pytest.mark.parametrize(
    ("name", "floor"), [("ttl-floor:300", 300), ("ttl-floor:5m", 300), ("ttl-floor:1h", 3600)]
)
def test_a_floor_is_a_time(name, floor):
    assert resolver(name).kept_for(60) == floor


def test_a_fleet_has_members():
    assert resolver("unbound*4").members == 4
    assert resolver("ttl-floor:300*2").floor == 300


@pytest.mark.parametrize(
    "name",
    [
        "",
        "coredns",
        "unbound:300",
        "ttl-floor",
        "ttl-floor:",
        "ttl-floor:-1",
        "ttl-floor:x",
        "bind*0",
        "bind*65",
        None,
    ],
)
def test_a_name_that_means_nothing_is_refused_with_those_that_do(name):
    with pytest.raises(BadInput, match="ttl-floor:300"):
        resolver(name)
