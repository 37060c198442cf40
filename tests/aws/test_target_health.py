from __future__ import annotations

from typing import Any

from testbed.aws import target_health

HEALTHY = {"State": "healthy"}
DRAINING = {"State": "draining", "Reason": "Target.DeregistrationInProgress"}


def known(address: str, health: dict[str, str]) -> dict[str, Any]:
    return {"Target": {"Id": address, "Port": 80}, "HealthCheckPort": "80", "TargetHealth": health}


def registered(*addresses: str) -> list[dict[str, Any]]:
    return [{"Id": address, "Port": "80"} for address in addresses]


def states(found: list[Any]) -> dict[str, str]:
    return {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in found}


def test_what_the_checks_say_is_told() -> None:
    found = target_health.described(registered("10.0.0.1"), [known("10.0.0.1", HEALTHY)], [])
    assert states(found) == {"10.0.0.1": "healthy"}


def test_a_target_that_was_never_checked_is_initial_not_healthy() -> None:
    assert states(target_health.described(registered("10.0.0.1"), [], [])) == {"10.0.0.1": "initial"}


def test_a_draining_target_is_told_and_others_that_are_gone_are_not() -> None:
    gone = [known("10.0.0.2", DRAINING), known("10.0.0.3", HEALTHY)]
    assert states(target_health.described([], gone, [])) == {"10.0.0.2": "draining"}


def test_a_call_may_ask_for_one_target() -> None:
    form = {"Targets.member.1.Id": "10.0.0.2", "Targets.member.1.Port": "80"}
    found = target_health.described(registered("10.0.0.1", "10.0.0.2"), [], target_health.asked(form))
    assert list(states(found)) == ["10.0.0.2"]


def test_a_target_that_is_not_registered_is_unused() -> None:
    found = target_health.described([], [], target_health.asked({"Targets.member.1.Id": "10.0.0.9"}))
    assert found[0]["TargetHealth"]["Reason"] == "Target.NotRegistered"
