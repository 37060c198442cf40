from __future__ import annotations

from testbed.bench.group_model import seconds_to_model


def test_the_benchmark_builds_its_group() -> None:
    assert seconds_to_model(members=10) > 0
