"""The search for the highest held rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.bench.held_rate import Search


def found(limit: float) -> tuple[Search, int]:
    search, tries = Search(), 0
    while rate := search.next_rate:
        search, tries = search.after(rate, is_held=rate <= limit), tries + 1
    return search, tries


@given(st.floats(25.0, 50_000.0))
def test_the_search_ends_close_below_the_limit(limit: float) -> None:
    search, tries = found(limit)
    assert search.held <= limit
    if search.held:
        assert search.failed
        assert search.failed > limit
        assert search.failed / search.held <= search.close
    assert tries < 20


def test_a_build_that_holds_no_rate_holds_none() -> None:
    search, _ = found(10.0)
    assert search.held == 0


@pytest.mark.parametrize(("limit", "first"), [(1.0, [500, 250]), (9_999.0, [500, 1000])])
def test_the_search_doubles_and_halves_first(limit: float, first: list[float]) -> None:
    search, tried = Search(), []
    while (rate := search.next_rate) and len(tried) < 2:
        tried.append(rate)
        search = search.after(rate, is_held=rate <= limit)
    assert tried == first
