"""Pod readiness gates: a pod becomes ready only when its target is healthy at the load balancer.

Pure. Condition type `target-health.elbv2.k8s.aws/<name of the TargetGroupBinding>`: True while the target is
healthy, False in any other state, Unknown while it is not registered. Source: pkg/targetgroupbinding/
resource_manager.go `updateTargetHealthPodConditionForPod`; conformance cases readiness-gates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core.build_inputs import KubernetesObject

PREFIX = "target-health.elbv2.k8s.aws/"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The change of a pod's status.

    Attributes:
        condition: the new condition without its transition time; None if nothing changes.
        changes_status: True if `lastTransitionTime` moves.
        probe_again: True if the health of the target must be read again (every 15 s).
    """

    condition: Mapping[str, str] | None
    changes_status: bool
    probe_again: bool


def condition_type(binding: str) -> str:
    """The condition type for the name of a binding."""
    return f"{PREFIX}{binding}"


def has_gate(pod: KubernetesObject | None, condition: str) -> bool:
    """True if the pod's readiness depends on the condition."""
    gates = object_fields.spec(pod).get("readinessGates") or ()
    return any(gate.get("conditionType") == condition for gate in gates)


def waits_for_gate(pod: KubernetesObject | None, condition: str) -> bool:
    """True if the containers are ready, so that only the gate keeps the pod from being ready."""
    containers = condition_of(pod, "ContainersReady") or {}
    return has_gate(pod, condition) and containers.get("status") == "True"


def condition_of(pod: KubernetesObject | None, condition: str) -> Mapping[str, Any] | None:
    """The pod's condition of a type, if any."""
    conditions = ((pod or {}).get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == condition), None)


def judge(pod: KubernetesObject, condition: str, health: Mapping[str, Any] | None) -> Verdict:
    """Decide the pod's condition from the health of its target.

    Args:
        health: `TargetHealth` of the ELBv2 API; None if the target is not registered.
    """
    if not has_gate(pod, condition):
        return Verdict(None, changes_status=False, probe_again=False)
    status = "Unknown"
    details: dict[str, str] = {}
    if health:
        status = "True" if health["State"] == "healthy" else "False"
        details = {"reason": health.get("Reason") or "", "message": health.get("Description") or ""}
    wanted = {"type": condition, "status": status, **{key: text for key, text in details.items() if text}}
    have = condition_of(pod, condition) or {}
    same = all(have.get(key, "") == wanted.get(key, "") for key in ("status", "reason", "message"))
    return Verdict(
        condition=None if have and same else wanted,
        changes_status=have.get("status") != status,
        probe_again=status != "True",
    )


def needs_flip(pods: Iterable[KubernetesObject], condition: str) -> bool:
    """True if a pod has the condition and its target is not healthy yet."""
    found = (condition_of(pod, condition) for pod in pods)
    return any(one is not None and one["status"] != "True" for one in found)
