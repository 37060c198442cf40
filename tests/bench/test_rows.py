from __future__ import annotations

import shutil

import pytest

from testbed.bench import rows
from testbed.bench.table import NO_H2LOAD, Row
from testbed.errors import Missing

SHORTEST = 1.0
"""h2load counts whole seconds."""


@pytest.mark.e2e
@pytest.mark.parametrize(
    "measure",
    [
        pytest.param(rows.rules_rows, id="rules"),
        pytest.param(lambda: rows.throughput_rows(with_ceiling=False), id="throughput"),
    ],
)
def test_a_measurement_on_a_topology_gives_figures(measure, monkeypatch):
    monkeypatch.setattr(rows, "RULES_SECONDS", SHORTEST)
    monkeypatch.setattr(rows, "LOAD_SECONDS", SHORTEST)
    measured = list(measure())
    assert measured
    for row in measured:
        assert row.met is not None or (row.measured == NO_H2LOAD and not shutil.which("h2load")), str(row)


def test_many_rules_may_cost_a_third_more_and_no_more():
    assert rows.rules_cost((0.001, 0.0012)).met is True
    assert rows.rules_cost((0.001, 0.0014)).met is False
    assert rows.rules_cost(None).met is None


def test_a_changed_rule_is_judged_by_its_slowest_change():
    row = rows.change_cost([0.1, 0.2, 1.1])
    assert row.met is False
    assert row.measured.startswith("1.10 s (the longest of 3; median 0.20 s)")
    assert rows.change_cost([0.1, 0.2]).met is True


def test_a_measurement_that_fails_is_a_row_with_its_reason(monkeypatch):
    def fails():
        yield Row("first", "1", "", met=True)
        raise Missing("no docker on this machine")

    first, last = rows._measured_or_why("Docker Compose", fails())
    assert first.met
    assert (last.what, last.met) == ("Docker Compose", None)
    assert last.measured == "could not be measured: no docker on this machine"
