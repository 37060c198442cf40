from __future__ import annotations

import pytest

from testbed.lb_controller.core import minimum_capacity
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions
from testbed.lb_controller.core.feature_gates import Gate


def test_capacity_is_reserved_unless_the_feature_gate_is_off() -> None:
    assert minimum_capacity.is_reserved(ControllerOptions())
    off = ControllerOptions(feature_gates={Gate.LB_CAPACITY_RESERVATION.value: False})
    assert not minimum_capacity.is_reserved(off)


def test_a_capacity_is_a_number_of_units() -> None:
    assert minimum_capacity.units({"CapacityUnits": "3000"}) == {"CapacityUnits": 3000}
    for settings in ({"Units": "1"}, {"CapacityUnits": "many"}):
        with pytest.raises(BuildError):
            minimum_capacity.units(settings)
