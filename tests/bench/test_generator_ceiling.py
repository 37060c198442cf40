from __future__ import annotations

import dataclasses

import pytest

from testbed.bench import generator_ceiling


@pytest.fixture
def plan(world, balancers, tmp_path):
    (balancer,) = balancers(1)
    world.names.addresses = [balancer.address]
    return world.plan(tmp_path / "unused", rate=100.0)


def test_a_rate_that_is_served_is_measured(plan):
    measured = generator_ceiling.measure(plan, 1.0)
    assert measured.lost == 0
    assert measured.rate == 100.0
    assert 50 < measured.answered < 150
    assert not plan.journal.exists()


def test_requests_that_never_start_are_lost_and_the_rate_is_not_held(plan, world):
    measured = generator_ceiling.measure(dataclasses.replace(plan, max_in_flight=1), 1.0)
    assert measured.lost > 0
    assert not measured.is_held


def test_the_ceiling_is_sought_until_requests_are_lost(plan):
    plan = dataclasses.replace(plan, max_in_flight=2)
    *held, last = generator_ceiling.ceiling(plan, 0.5, step=30.0)
    assert last.lost
    assert all(not one.lost for one in held)
