from __future__ import annotations

import pytest

from testbed.client_models import Population
from testbed.forecast.drain_forecast import drain
from testbed.forecast.leaving import Side
from testbed.forecast.ramp import Ramp, ramp


def filled(clients: object, age: float | None = 300.0, every: float = 1.0, number: int = 30_000) -> Ramp:
    emptied = drain(Population.of(clients), number, Side.nlb(age), every=every, horizon=7200)  # type: ignore[arg-type]
    return ramp(emptied, Side.alb(), every=every, bytes_per_request=1000.0, rules=20)


def test_clients_that_leave_open_one_connection_each() -> None:
    found = filled({"grpcio": 1})
    assert sum(found.new[:3600]) == pytest.approx(30_000)
    assert found.peak == (0, pytest.approx(100.0))
    assert found.new[299] == pytest.approx(100.0)
    assert found.new[300] == pytest.approx(0.0)


def test_an_alb_ends_connections_after_an_hour_so_the_ramp_comes_again() -> None:
    found = filled({"grpcio": 1})
    assert found.new[3700] == pytest.approx(100.0)


def test_a_client_that_keeps_no_connection_opens_one_for_each_request() -> None:
    found = filled({"nginx-resolver": 1}, every=2.0)
    assert found.new[1000] == pytest.approx(15_000)
    assert filled({"nginx-resolver": 1}, every=0.5).new[1000] == pytest.approx(60_000)


def test_units_follow_from_connections_bytes_and_rules() -> None:
    found = filled({"grpcio": 1})
    end = found.units[-1]
    assert end.active_connections == pytest.approx(10.0)
    assert end.bytes == pytest.approx(30_000 * 1000 * 3600 / 1e9)
    assert end.rule_evaluations == pytest.approx(300.0)
    assert found.peak_units[1].greatest == "rule evaluations"


def test_who_never_leaves_brings_no_load() -> None:
    found = filled({"python-requests": 1}, age=None)
    assert sum(found.new) == 0
    assert found.peak_units[1].needed == 0
