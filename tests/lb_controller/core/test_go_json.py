from __future__ import annotations

from typing import Any

import pytest

from testbed.lb_controller.core.build_inputs import BuildError
from testbed.lb_controller.core.go_json import PORT, TEXTS, read

SHAPE = {"name": str, "ports": [PORT], "extra": TEXTS}


def test_keys_are_read_in_any_case_and_unknown_ones_left_out() -> None:
    assert read({"Name": "a", "PORTS": [80, "http"], "x": 1}, SHAPE) == {"name": "a", "ports": [80, "http"]}
    assert read({"extra": {"Any": "thing"}}, SHAPE) == {"extra": {"Any": "thing"}}
    assert read(None, SHAPE) is None


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ([], "json: cannot unmarshal array into Go value of type struct"),
        ({"name": 1}, "json: cannot unmarshal number into Go value of type string"),
        ({"ports": [True]}, "json: cannot unmarshal bool into Go value of type intstr.IntOrString"),
    ],
)
def test_a_value_of_another_type_is_refused(value: Any, error: str) -> None:
    with pytest.raises(BuildError) as raised:
        read(value, SHAPE)
    assert str(raised.value) == error
