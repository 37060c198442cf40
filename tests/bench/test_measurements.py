from __future__ import annotations

import shutil

import pytest

import testbed.bench.__main__ as bench
from testbed.bench.table import NO_H2LOAD

pytestmark = pytest.mark.e2e

SHORTEST = 1.0
"""h2load counts whole seconds."""


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(bench.rules_rows, id="rules"),
        pytest.param(lambda: bench.throughput_rows(with_ceiling=False), id="throughput"),
    ],
)
def test_a_measurement_on_a_topology_gives_figures(rows, monkeypatch):
    monkeypatch.setattr(bench, "RULES_SECONDS", SHORTEST)
    monkeypatch.setattr(bench, "LOAD_SECONDS", SHORTEST)
    measured = list(rows())
    assert measured
    for row in measured:
        assert row.met is not None or (row.measured == NO_H2LOAD and not shutil.which("h2load")), str(row)
