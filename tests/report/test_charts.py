from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from testbed.report import charts
from testbed.report.charts import Axis

COUNTS = st.lists(st.integers(0, 5_000), min_size=1, max_size=50)


@given(first=COUNTS, data=st.data())
def test_stacked_areas_stay_within_the_chart(first: list[int], data: st.DataObject) -> None:
    second = data.draw(st.lists(st.integers(0, 5_000), min_size=len(first), max_size=len(first)))
    top = charts.scale(max(map(sum, zip(first, second, strict=True))))
    for path in charts.stacked([first, second], 100, top):
        for x, y in re.findall(r"([\d.-]+),([\d.-]+)", path):
            assert 0 <= float(x) <= charts.WIDTH
            assert 0 <= float(y) <= 100


@given(st.floats(1e-6, 1e12))
def test_the_top_of_an_axis_is_above_all_and_not_far(highest: float) -> None:
    assert highest <= charts.scale(highest) * (1 + 1e-9)
    assert charts.scale(highest) <= highest * 1.51


@given(st.floats(0.2, 100_000), st.integers(2, 10))
def test_ticks_are_no_more_than_wanted(span: float, wanted: int) -> None:
    assert span / charts.time_step(span, wanted) <= wanted + 1e-9


def test_equal_columns_are_one_line() -> None:
    assert charts.stacked([[5, 5, 5, 5]], 10, 10) == ["M0,5L1000,5L1000,10L0,10Z"]


def test_a_line_breaks_where_nothing_was_measured() -> None:
    assert charts.line([1, None, 1], 10, 2).count("M") == 2


def test_a_step_function_goes_on_to_the_end() -> None:
    axis = Axis(0, 10)
    path = charts.steps([(0, 2), (5, 0)], axis, 10, 2)
    assert path == "M0,0H500V10H1000"
    assert charts.closed(path, 10) == "M0,0H500V10H1000V10H0Z"
    assert charts.steps([], axis, 10, 1) == charts.closed("", 10) == ""
