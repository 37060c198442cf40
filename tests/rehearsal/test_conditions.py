"""Conditions that must not hold of nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from testbed.rehearsal.conditions import answers_by_its_own_name, weights
from testbed.rehearsal.cutover import BalancerState, Cutover
from testbed.traffic.probe import ProbeResult


def looking_at(*results: ProbeResult, found: dict[str, int] | None = None) -> Cutover:
    one = BalancerState("arn", "a.elb.amazonaws.com", "active", "alb")
    seen: Any = SimpleNamespace(
        balancers=lambda _: [one],
        topology=SimpleNamespace(probe=lambda _: list(results)),
        weights=lambda: found or {},
    )
    return cast(Cutover, seen)


def test_a_balancer_that_nothing_was_asked_of_has_not_answered() -> None:
    seen = answers_by_its_own_name("alb").look(looking_at())
    assert (seen.holds, seen.seen) == (False, "the traffic has no unary call to try")


def test_a_balancer_that_answers_one_of_two_has_not_answered() -> None:
    results = ProbeResult("grpc", "OK"), ProbeResult("rest", "503")
    assert not answers_by_its_own_name("alb").look(looking_at(*results)).holds
    assert answers_by_its_own_name("alb").look(looking_at(results[0])).holds


@pytest.mark.parametrize(
    ("found", "holds", "seen"),
    [
        ({"nlb": 90, "alb": 10}, True, "NLB 90, ALB 10"),
        ({"nlb": 100, "alb": 0}, False, "NLB 100, ALB 0"),
        ({"nlb": 90}, False, "NLB 90"),
        ({}, False, "no weighted record"),
    ],
)
def test_weights_are_those_of_all_records(found: dict[str, int], holds: bool, seen: str) -> None:
    observed = weights(nlb=90, alb=10).look(looking_at(found=found))
    assert (observed.holds, observed.seen) == (holds, seen)
