"""Conditions that must not hold of nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from testbed.rehearsal.conditions import active, answers_by_its_own_name, weights
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


def event(kind: str, severity: str, time: str, message: str) -> dict[str, Any]:
    about = {"kind": kind, "namespace": "shop", "name": "web"}
    return {
        "kind": "Event", "involvedObject": about, "type": severity, "reason": "FailedBuildModel",
        "message": message, "lastTimestamp": time,
    }  # fmt: skip


def test_a_balancer_that_was_not_made_is_told_with_the_controllers_latest_reason() -> None:
    store = SimpleNamespace(
        list_all=lambda: [
            {"kind": "Service", "metadata": {"name": "web"}},
            event("Ingress", "Warning", "2026-01-01T00:00:01Z", "no certificate found"),
            event("Ingress", "Warning", "2026-01-01T00:00:00Z", "an older reason"),
            event("Ingress", "Normal", "2026-01-01T00:00:02Z", "no reason"),
            event("Service", "Warning", "2026-01-01T00:00:03Z", "another kind"),
        ]
    )
    cutover = Cutover.__new__(Cutover)
    cutover.topology = cast(Any, SimpleNamespace(store=store))
    told = cutover.warnings("Ingress")
    assert told[0] == "Ingress shop/web got FailedBuildModel: no certificate found"
    assert len(told) == 2
    seen: Any = SimpleNamespace(balancers=lambda _: [], warnings=cutover.warnings)
    observed = active("alb").look(seen)
    assert (observed.holds, observed.seen) == (False, f"there is none; {told[0]}")
    assert active("nlb").look(seen).seen.endswith("Service shop/web got FailedBuildModel: another kind")
