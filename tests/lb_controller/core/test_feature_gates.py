"""The feature gates and their defaults."""

from __future__ import annotations

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.core.feature_gates import DEFAULTS, Gate, default, is_on, takes_ip_targets


def options(tag: str, **gates: bool) -> ControllerOptions:
    return ControllerOptions(release=LB_CONTROLLER_RELEASES[tag], feature_gates=gates)


def test_every_gate_has_a_date() -> None:
    assert set(DEFAULTS) == set(Gate)
    assert {tag for dates in DEFAULTS.values() for tag in dates} <= set(LB_CONTROLLER_RELEASES)


@pytest.mark.parametrize(
    ("gate", "tag", "value"),
    [
        (Gate.NLB_SECURITY_GROUP, "v2.5.4", None),
        (Gate.NLB_SECURITY_GROUP, "v2.6.0", True),
        (Gate.ENDPOINTS_FAIL_OPEN, "v2.4.7", False),
        (Gate.ENDPOINTS_FAIL_OPEN, "v2.5.0", True),
        (Gate.ALB_GATEWAY_API, "v3.1.0", False),
        (Gate.ALB_GATEWAY_API, "v3.2.0", True),
    ],
)
def test_a_default_is_that_of_the_release(gate: Gate, tag: str, value: bool | None) -> None:
    assert default(gate, LB_CONTROLLER_RELEASES[tag]) is value


def test_the_flag_wins_over_the_default_and_counts_for_nothing_where_the_gate_is_unknown() -> None:
    assert not is_on(Gate.NLB_SECURITY_GROUP, options("v2.6.0", NLBSecurityGroup=False))
    assert is_on(Gate.NLB_SECURITY_GROUP, options("v2.6.0"))
    assert not is_on(Gate.NLB_SECURITY_GROUP, options("v2.5.4", NLBSecurityGroup=True))
    assert is_on(Gate.ENABLE_SERVICE_CONTROLLER, options("v2.1.0"), before=True)


def test_pods_are_targets_unless_the_gate_is_off() -> None:
    assert takes_ip_targets(options("v2.1.0"))
    assert not takes_ip_targets(options("v2.4.3", EnableIPTargetType=False))
