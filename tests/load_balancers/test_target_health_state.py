from __future__ import annotations

import pytest

from testbed.load_balancers.elbv2_state import HealthCheck
from testbed.load_balancers.target_health_state import (
    INITIAL,
    PASSED,
    HealthReason,
    HealthState,
    Result,
    is_expected,
)

CHECK = HealthCheck("HTTP", "traffic-port", "/", "200", 15, 5, healthy=3, unhealthy=2)
MISMATCH = Result(HealthReason.MISMATCH, "500")


def test_one_success_makes_a_new_target_healthy() -> None:
    assert INITIAL.after(PASSED, CHECK).state is HealthState.HEALTHY


def test_failures_in_a_row_make_a_healthy_target_unhealthy() -> None:
    health = INITIAL.after(PASSED, CHECK).after(MISMATCH, CHECK)
    assert health.state is HealthState.HEALTHY
    assert health.after(PASSED, CHECK).after(MISMATCH, CHECK).state is HealthState.HEALTHY
    ill = health.after(MISMATCH, CHECK)
    assert (ill.state, ill.reason) == (HealthState.UNHEALTHY, HealthReason.MISMATCH)
    assert ill.description == "Health checks failed with these codes: [500]"


def test_an_unhealthy_target_needs_its_threshold_of_successes() -> None:
    health = INITIAL.after(MISMATCH, CHECK).after(MISMATCH, CHECK)
    for _ in range(CHECK.healthy - 1):
        health = health.after(PASSED, CHECK)
        assert health.state is HealthState.UNHEALTHY
    assert health.after(PASSED, CHECK).state is HealthState.HEALTHY


@pytest.mark.parametrize(
    ("matcher", "code", "expected"),
    [
        ("200", 200, True),
        ("200-399", 301, True),
        ("200,301", 302, False),
        ("0-5,12", 12, True),
        ("", 0, False),
    ],
)
def test_a_matcher_is_a_list_of_codes_and_ranges(matcher: str, code: int, expected: bool) -> None:
    assert is_expected(matcher, code) is expected
