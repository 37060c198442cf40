"""The rate of a run on a busy machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.rehearsal.affordable_rate import affordable_rate
from testbed.settings import DEFAULT_RATE, lowest_rate, shortest_stall


def test_a_quiet_machine_sends_what_was_asked() -> None:
    assert affordable_rate(DEFAULT_RATE, speed=60.0, cores=1, others=0.1) == DEFAULT_RATE


@pytest.mark.parametrize(("others", "rate"), [(0.5, 450.0), (1.0, 260.0), (1.9, 100.0), (3.0, 100.0)])
def test_a_busy_machine_sends_less(others: float, rate: float) -> None:
    assert affordable_rate(DEFAULT_RATE, speed=60.0, cores=2, others=others) == rate


@given(speed=st.floats(0.1, 10_000), cores=st.integers(1, 64), others=st.floats(0, 64, allow_nan=False))
def test_a_stall_shows_at_whatever_rate_is_left(speed: float, cores: int, others: float) -> None:
    rate = affordable_rate(DEFAULT_RATE, speed=speed, cores=cores, others=others)
    assert lowest_rate(speed) <= rate <= DEFAULT_RATE
    assert rate * shortest_stall(speed) > 8 * 60 / 36  # more than one request for each of eight apps
