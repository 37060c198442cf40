"""Durations are read as Go reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.external_dns.core.go_duration import seconds


@pytest.mark.parametrize(
    ("text", "wanted"), [("1m30s", 90.0), ("1h", 3600.0), ("500ms", 0.5), ("1.5h", 5400.0), ("0", 0.0)]
)
def test_a_duration_is_gos(text: str, wanted: float) -> None:
    assert seconds(text) == wanted


@given(st.floats(0, 1e6).map(lambda value: f"{value:.3f}"), st.sampled_from(["ms", "s", "m", "h"]))
def test_any_number_with_a_unit_is_a_duration_and_without_one_is_none(text: str, unit: str) -> None:
    assert seconds(text + unit) == pytest.approx(
        float(text) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]
    )
    with pytest.raises(ValueError, match="not a duration"):
        seconds(text)
