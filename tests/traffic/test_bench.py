from __future__ import annotations

import dataclasses
import shutil

import pytest

from testbed.traffic import bench


@pytest.fixture
def plan(world, balancers, tmp_path):
    (balancer,) = balancers(1)
    world.names.addresses = [balancer.address]
    return world.plan(tmp_path / "unused", rate=100.0)


def test_a_rate_that_is_served_is_measured(plan):
    measured = bench.measure(plan, 1.0)
    assert measured.lost == 0
    assert measured.rate == 100.0
    assert 50 < measured.answered < 150
    assert not plan.journal.exists()


def test_what_is_not_served_is_lost_and_not_held(plan, world):
    measured = bench.measure(dataclasses.replace(plan, max_in_flight=1), 1.0)
    assert measured.lost > 0
    assert not measured.is_held


def test_the_ceiling_is_sought_until_requests_are_lost(plan):
    plan = dataclasses.replace(plan, max_in_flight=2)
    *held, last = bench.ceiling(plan, 0.5, step=30.0)
    assert last.lost
    assert all(not one.lost for one in held)


@pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed")
def test_h2load_takes_the_same_path(plan, world):
    assert (bench.h2load(world.names.addresses[0], plan, 1.0) or 0) > 50


@pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed")
def test_h2load_without_a_server_is_no_number(plan, world):
    assert bench.h2load(world.network.balancer(99, 0), plan, 0.5) is None
