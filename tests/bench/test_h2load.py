from __future__ import annotations

import shutil

import pytest

from testbed.bench import h2load


@pytest.fixture
def plan(world, balancers, tmp_path):
    (balancer,) = balancers(1)
    world.names.addresses = [balancer.address]
    return world.plan(tmp_path / "unused", rate=100.0)


@pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed")
def test_h2load_takes_the_same_path(plan, world):
    assert (h2load.h2load(world.names.addresses[0], plan, 1.0) or 0) > 50


@pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed")
def test_h2load_without_a_server_is_no_number(plan, world):
    assert h2load.h2load(world.network.balancer(99, 0), plan, 0.5) is None


def test_without_h2load_there_is_no_figure(plan, world, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert h2load.h2load(world.names.addresses[0], plan, 1.0) is None
    assert h2load.one_at_a_time("127.0.0.1", 1, "https://a.example.com/", 1.0) is None
