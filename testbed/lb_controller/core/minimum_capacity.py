"""The reserved capacity of a load balancer: the annotations `minimum-load-balancer-capacity`."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.lb_controller.core import go_text
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions
from testbed.lb_controller.core.feature_gates import Gate, is_on

CAPACITY_UNITS = "CapacityUnits"


def is_reserved(options: ControllerOptions) -> bool:
    """True unless the feature gate is off."""
    return is_on(Gate.LB_CAPACITY_RESERVATION, options)


def units(settings: Mapping[str, str]) -> dict[str, int]:
    """The capacity of a setting `CapacityUnits=<n>`.

    Raises:
        BuildError: it has another key, or is not a number.
    """
    return {key: _units(key, value) for key, value in settings.items()}


def _units(key: str, value: str) -> int:
    if key != CAPACITY_UNITS:
        raise BuildError(f"invalid key to set the capacity: {key}, Expected key: {CAPACITY_UNITS}")
    try:
        return go_text.integer(value, bits=32)
    except BuildError as error:
        raise BuildError(f"invalid value to set the capacity: {value}: {error}") from None
