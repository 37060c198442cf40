from __future__ import annotations

import pytest

from testbed.forecast.capacity_units import CapacityUnits, Load, reservation


def units(needed: float) -> CapacityUnits:
    return CapacityUnits(needed, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("load", "needed", "greatest"),
    [
        (Load(25, 0, 0, 0), 1, "new connections"),
        (Load(0, 3000, 0, 0), 1, "active connections"),
        (Load(0, 0, 1e9, 0), 1, "bytes"),
        (Load(0, 0, 0, 1000), 1, "rule evaluations"),
        (Load(50, 3000, 5e9, 1000), 5, "bytes"),
    ],
)
def test_the_dimension_that_needs_the_most_counts(load: Load, needed: float, greatest: str) -> None:
    assert load.units().needed == needed
    assert load.units().greatest == greatest


def test_ten_rules_are_free() -> None:
    assert Load.evaluations(100.0, 10) == 0
    assert Load.evaluations(100.0, 60) == 5000


def test_a_small_load_needs_no_reservation_however_sudden() -> None:
    assert reservation([units(0), units(99.9)]) is None
    assert reservation([]) is None


def test_a_load_that_doubles_within_five_minutes_wants_the_units_of_its_peak() -> None:
    assert reservation([units(0), units(150), units(300.5)]) == 301


def test_a_load_that_grows_slowly_needs_none() -> None:
    slow = [units(90.0 * 1.1**minute) for minute in range(30)]
    assert reservation([*(units(0.9 * minute) for minute in range(100)), *slow]) is None
