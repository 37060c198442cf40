"""`TargetSlow` as it strikes a real Envoy, and as it is undone."""

from __future__ import annotations

from testbed.faults.target_slow import TargetSlow
from testbed.runtime.components.fault_filters import set_in
from tests.envoy.test_target import Target, target
from tests.faults.filtered import counted, status

__all__ = ["target"]


def test_requests_are_delayed_until_it_ends(target: Target) -> None:
    assert status(target) == 200
    with set_in([f"http://{target.address}:9901"], TargetSlow(0.01).runtime()):
        assert status(target) == 200
    assert counted(target, "delays_injected") == 1
    assert status(target) == 200
    assert counted(target, "delays_injected") == 1
