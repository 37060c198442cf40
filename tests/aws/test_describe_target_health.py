from __future__ import annotations

from typing import Any

from testbed.aws import describe_target_health

HEALTHY = {"State": "healthy"}
UNUSED = {"State": "unused", "Reason": "Target.NotInUse"}
DRAINING = {"State": "draining", "Reason": "Target.DeregistrationInProgress"}


def known(address: str, health: dict[str, str]) -> dict[str, Any]:
    return {"Target": {"Id": address, "Port": 80}, "HealthCheckPort": "80", "TargetHealth": health}


def registered(*addresses: str) -> list[dict[str, Any]]:
    return [
        {"Target": {"Id": address, "Port": "80"}, "HealthCheckPort": "traffic-port"} for address in addresses
    ]


def states(found: list[Any]) -> dict[str, str]:
    return {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in found}


def test_the_description_of_the_health_checks_is_returned() -> None:
    found = describe_target_health.described(registered("10.0.0.1"), [known("10.0.0.1", HEALTHY)], [])
    assert states(found) == {"10.0.0.1": "healthy"}


def test_a_target_that_was_never_checked_is_initial_not_healthy_and_its_port_is_the_traffics() -> None:
    found = describe_target_health.described(registered("10.0.0.1"), [], [])
    assert states(found) == {"10.0.0.1": "initial"}
    assert found[0]["HealthCheckPort"] == "80"


def test_a_deregistered_target_drains_at_once_unless_its_group_was_not_in_use() -> None:
    gone = [known("10.0.0.2", DRAINING), known("10.0.0.3", HEALTHY), known("10.0.0.4", UNUSED)]
    assert states(describe_target_health.described([], gone, [])) == {
        "10.0.0.2": "draining",
        "10.0.0.3": "draining",
    }


def test_a_target_that_is_registered_again_while_it_drains_is_initial() -> None:
    drains = [known("10.0.0.1", DRAINING)]
    assert states(describe_target_health.described(registered("10.0.0.1"), drains, [])) == {
        "10.0.0.1": "initial"
    }


def test_a_call_may_ask_for_one_target() -> None:
    form = {"Targets.member.1.Id": "10.0.0.2", "Targets.member.1.Port": "80"}
    found = describe_target_health.described(
        registered("10.0.0.1", "10.0.0.2"), [], describe_target_health.requested(form)
    )
    assert list(states(found)) == ["10.0.0.2"]


def test_a_target_that_is_not_registered_is_unused() -> None:
    found = describe_target_health.described(
        [], [], describe_target_health.requested({"Targets.member.1.Id": "10.0.0.9"})
    )
    assert found[0]["TargetHealth"]["Reason"] == "Target.NotRegistered"
