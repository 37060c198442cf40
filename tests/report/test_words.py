from __future__ import annotations

from types import ModuleType

import pytest

from testbed.rehearsal.verdict import compute
from testbed.report import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 s"),
        (0.634, "0.63 s"),
        (12, "12.0 s"),
        (59.96, "1m00s"),
        (245, "4m05s"),
        (3725, "1h02m"),
        (-2, "-2.00 s"),
    ],
)
def test_a_duration_reads(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("micros", "text"),
    [(None, "-"), (0, "-"), (870, "870 µs"), (4_812, "4.8 ms"), (123_900, "124 ms"), (2_410_000, "2.41 s")],
)
def test_a_latency_reads(micros: int | None, text: str) -> None:
    assert words.latency(micros) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0:00"), (59.6, "1:00"), (754, "12:34"), (3723, "1:02:03")]
)
def test_a_time_of_the_run_reads(seconds: float, text: str) -> None:
    assert words.clock_time(seconds) == text


def test_times_are_told_in_production_and_wall_time(made: ModuleType) -> None:
    times = words.Times(compute(made.Story(rate=5.0).events()).story)
    assert times.both(made.EPOCH + 12.5) == "12:30 (12.5 s)"
    assert times.lasted(0.63) == "37.8 s (0.63 s)"
