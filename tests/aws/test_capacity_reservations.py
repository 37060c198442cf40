from __future__ import annotations

from typing import Any

import pytest

from testbed.aws import capacity_reservations
from testbed.aws.capacity_reservations import CapacityReservations
from testbed.clock import Clock
from testbed.settings import Production

ALB = "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/web/1"
NLB = "arn:aws:elasticloadbalancing:r:1:loadbalancer/net/tcp/1"


def ask(kept: CapacityReservations, units: int) -> str:
    found = kept.modify(ALB, {"MinimumLoadBalancerCapacity": {"CapacityUnits": str(units)}})
    return found.code if found else ""


def state(described: dict[str, Any]) -> tuple[str, int]:
    first = described["CapacityReservationState"][0]
    return first["State"]["Code"], first["EffectiveCapacityUnits"]


def test_a_reservation_is_pending_first_and_provisioned_then(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = CapacityReservations(Clock(1))
    assert state(kept.described(ALB, ["a", "b"])) == ("provisioned", 0)
    assert ask(kept, 500) == ""
    assert state(kept.described(ALB, ["a", "b"])) == ("pending", 0)
    assert ask(kept, 600) == "CapacityReservationPending"
    monkeypatch.setattr(capacity_reservations, "PRODUCTION", Production(capacity_provisioning=0.0))
    described = kept.described(ALB, ["a", "b"])
    assert state(described) == ("provisioned", 500)
    assert described["MinimumLoadBalancerCapacity"] == {"CapacityUnits": 500}


def test_two_decreases_are_left_at_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity_reservations, "PRODUCTION", Production(capacity_provisioning=0.0))
    kept = CapacityReservations(Clock(1))
    assert [ask(kept, units) for units in (500, 400, 300, 200)] == [
        "",
        "",
        "",
        "CapacityDecreaseRequestLimitExceeded",
    ]
    assert kept.described(ALB, [])["DecreaseRequestsRemaining"] == 0
    assert kept.modify(ALB, {"ResetCapacityReservation": "true"}) is None
    assert kept.described(ALB, [])["MinimumLoadBalancerCapacity"] == {"CapacityUnits": 0}


def test_only_an_nlb_has_capacity_by_zone() -> None:
    kept = CapacityReservations(Clock(1))
    zones = [one["AvailabilityZone"] for one in kept.described(NLB, ["a", "b"])["CapacityReservationState"]]
    assert zones == ["a", "b"]
    assert len(kept.described(ALB, ["a", "b"])["CapacityReservationState"]) == 1


def test_a_call_that_asks_for_nothing_is_refused() -> None:
    assert CapacityReservations(Clock(1)).modify(ALB, {}) is not None
