"""What becomes of a connection when it idles, ages, or leads to an address that is no longer answered."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from testbed.client_models.catalogue import MODELS
from testbed.clock import Clock
from testbed.settings import PRODUCTION
from testbed.traffic.connection_rules import IDLE, MOVED, NOT_KEPT, ConnectionRules, may_cross_after

OLD, NEW = "127.0.0.2", "127.0.0.3"


def rules(name: str, speed: float = 1.0) -> ConnectionRules:
    return ConnectionRules.of(MODELS[name], Clock(speed=speed))


def connection(opened: float = 0.0, idle_since: float = 0.0):
    return SimpleNamespace(address=OLD, opened=opened, idle_since=idle_since)


@pytest.mark.parametrize(
    ("name", "limit"), [("python-httpx", 5), ("python-aiohttp", 15), ("go-net-http", 90), ("libcurl", 118)]
)
def test_an_idle_connection_is_closed_after_the_limit_of_its_library(name, limit):
    assert rules(name).ends(connection(), (OLD,), limit) == ""
    assert rules(name).ends(connection(), (OLD,), limit + 0.1) == IDLE


def test_limits_are_scaled_to_the_run():
    assert rules("python-httpx", speed=60).ends(connection(), (OLD,), 0.1) == IDLE


def test_requests_keeps_an_idle_connection_for_ever():
    assert rules("python-requests").ends(connection(), (NEW,), 1e9) == ""
    assert rules("python-requests").may_use(connection(), (NEW,))


def test_java_leaves_an_old_address_open_and_unused():
    assert rules("java-http1").ends(connection(), (NEW,), 1.0) == ""
    assert not rules("java-http1").may_use(connection(), (NEW,))
    assert rules("java-http1").may_use(connection(), (OLD, NEW))


def test_a_ttl_pool_closes_what_leads_elsewhere():
    assert rules("ttl-pool").ends(connection(), (NEW,), 1.0) == MOVED


def test_nginx_keeps_no_connection():
    assert rules("nginx").ends(connection(), (OLD,), 0.0) == NOT_KEPT


def test_a_request_crosses_a_close_for_the_speed_of_the_run_only_if_there_is_any():
    assert may_cross_after(Clock(speed=60.0)) == PRODUCTION.client_keep_alive / 60
    assert may_cross_after(Clock(speed=1.0)) == math.inf
