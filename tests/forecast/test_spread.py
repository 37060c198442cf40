from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.forecast.leaving import Slice
from testbed.forecast.spread import Spread

SLICES = st.lists(
    st.builds(Slice, st.floats(0, 50), st.floats(0, 40), st.floats(0, 1)), min_size=0, max_size=10
)


@given(SLICES)
def test_nothing_gets_lost_within_the_horizon(slices: list[Slice]) -> None:
    spread = Spread(100)
    spread.add(slices, 10.0)
    assert sum(spread.seconds) == pytest.approx(10 * sum(one.share for one in slices), abs=1e-6)
    assert min(spread.seconds) >= -1e-9


def test_a_slice_is_spread_over_the_seconds_that_it_covers() -> None:
    spread = Spread(5)
    spread.add([Slice(0.5, 2.0, 1.0)], 8.0)
    assert spread.seconds == [2.0, 4.0, 2.0, 0.0, 0.0]


def test_a_slice_may_come_later_and_reach_beyond_the_horizon() -> None:
    spread = Spread(4)
    spread.add([Slice(0.0, 4.0, 1.0)], 4.0, later=2.0)
    assert spread.seconds == [0.0, 0.0, 1.0, 1.0]
    spread.add([Slice(9.0, 0.0, 1.0)], 4.0)
    assert sum(spread.seconds) == 2.0


def test_what_repeats_comes_again_after_each_period() -> None:
    spread = Spread(7)
    spread.add([Slice(1.0, 0.0, 1.0)], 8.0)
    assert spread.repeated(2.0).seconds == [0, 8, 0, 8, 0, 8, 0]
    assert spread.repeated(2.5).seconds == [0, 8, 0, 4, 4, 2, 4]


def test_sums_say_how_many_have_happened_before_each_second() -> None:
    spread = Spread(3)
    spread.add([Slice(0.0, 2.0, 1.0)], 2.0)
    assert spread.sums() == [0.0, 1.0, 2.0, 2.0]
