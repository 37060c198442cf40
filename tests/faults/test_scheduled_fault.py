"""The times of a fault."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.errors import BadInput
from testbed.faults import DnsSilent
from testbed.faults.scheduled_fault import Scheduled, seconds


@pytest.mark.parametrize(
    ("text", "value"), [("30s", 30), ("2m", 120), ("1h30m", 5400), ("0.5s", 0.5), (90, 90), (0, 0)]
)
def test_a_time_is_seconds_or_a_text_with_units(text: str | float, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "2", "2 m", "m", "-2m", "2m!", -1, True, None, float("nan"), 1e10])
def test_what_is_no_time_is_refused(text: Any) -> None:
    with pytest.raises(BadInput, match="is not a duration"):
        seconds(text)


@given(st.text(alphabet="0123456789hms. -", max_size=8))
def test_any_text_is_a_time_or_bad_input(text: str) -> None:
    with suppress(BadInput):
        assert seconds(text) >= 0


def test_a_fault_without_an_end_lasts_until_its_block_does() -> None:
    assert (Scheduled(DnsSilent(), at="1m").start, Scheduled(DnsSilent()).lasts) == (60, None)


def test_a_fault_that_lasts_no_time_is_refused() -> None:
    with pytest.raises(BadInput, match="lasts no time"):
        Scheduled(DnsSilent(), for_=0)


def test_what_is_no_fault_is_refused() -> None:
    fault: Any = "kill"
    with pytest.raises(BadInput, match="is no fault"):
        Scheduled(fault)
