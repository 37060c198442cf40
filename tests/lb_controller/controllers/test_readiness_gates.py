from __future__ import annotations

from testbed.lb_controller.controllers import readiness_gates

TYPE = readiness_gates.condition_type("my-tgb")


def pod(*conditions: dict[str, str], gate: str = TYPE) -> dict[str, object]:
    return {
        "spec": {"readinessGates": [{"conditionType": gate}]},
        "status": {"conditions": list(conditions)},
    }


def test_a_healthy_target_makes_the_condition_true() -> None:
    verdict = readiness_gates.judge(pod(), TYPE, {"State": "healthy"})
    assert verdict.condition == {"type": TYPE, "status": "True"}
    assert not verdict.probe_again


def test_a_target_that_is_not_registered_is_unknown_and_looked_at_again() -> None:
    verdict = readiness_gates.judge(pod(), TYPE, None)
    assert verdict.condition == {"type": TYPE, "status": "Unknown"}
    assert verdict.probe_again


def test_an_unchanged_condition_is_not_written_again() -> None:
    health = {"State": "initial", "Reason": "Elb.RegistrationInProgress", "Description": "wait"}
    first = readiness_gates.judge(pod(), TYPE, health)
    assert first.condition is not None
    again = readiness_gates.judge(pod(dict(first.condition)), TYPE, health)
    assert again.condition is None
    assert again.probe_again


def test_a_pod_without_the_gate_is_left_alone() -> None:
    verdict = readiness_gates.judge(pod(gate="other"), TYPE, {"State": "healthy"})
    assert verdict.condition is None
    assert not verdict.probe_again


def test_only_pods_whose_containers_are_ready_wait_for_the_gate() -> None:
    assert readiness_gates.waits_for_gate(pod({"type": "ContainersReady", "status": "True"}), TYPE)
    assert not readiness_gates.waits_for_gate(pod({"type": "ContainersReady", "status": "False"}), TYPE)
    assert not readiness_gates.waits_for_gate(None, TYPE)
