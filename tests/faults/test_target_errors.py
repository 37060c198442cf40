"""`TargetErrors` as it strikes a real Envoy, and as it is undone."""

from __future__ import annotations

import pytest

from testbed.errors import BadInput
from testbed.faults.target_errors import TargetErrors
from testbed.runtime.components.fault_filters import set_in
from tests.envoy.test_target import Target, target
from tests.faults.filtered import counted, status

__all__ = ["target"]


def test_requests_end_with_the_status_until_it_ends(target: Target) -> None:
    assert status(target) == 200
    with set_in([f"http://{target.address}:9901"], TargetErrors(504).runtime()):
        assert status(target) == 504
    assert status(target) == 200
    assert counted(target, "aborts_injected") == 1


@pytest.mark.parametrize("status", [200, 399, 600, "503"])
def test_a_status_that_is_no_error_is_refused(status: int) -> None:
    with pytest.raises(BadInput, match="is no error status"):
        TargetErrors(status)
