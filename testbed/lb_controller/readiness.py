"""Pod readiness gates: a pod becomes ready only when its target is healthy at the load balancer.

Pure. Condition type `target-health.elbv2.k8s.aws/<name of the TargetGroupBinding>`: True while the target is
healthy, False in any other state, Unknown while it is not registered. Source: pkg/targetgroupbinding/
resource_manager.go `updateTargetHealthPodConditionForPod`; conformance cases readiness-gates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.lb_controller import objects
from testbed.lb_controller.inputs import KubernetesObject

PREFIX = "target-health.elbv2.k8s.aws/"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to write into the pod's status.

    Attributes:
        condition: the new condition without its transition time; None: nothing changes.
        changes_status: whether `lastTransitionTime` moves.
        probe_again: whether the target must be looked at again (every 15 s).
    """

    condition: Mapping[str, str] | None
    changes_status: bool
    probe_again: bool


def condition_type(binding: str) -> str:
    """The condition type of a binding's name."""
    return f"{PREFIX}{binding}"


def has_gate(pod: KubernetesObject | None, condition: str) -> bool:
    """Whether the pod's readiness depends on the condition."""
    gates = objects.spec(pod).get("readinessGates") or ()
    return any(gate.get("conditionType") == condition for gate in gates)


def waits_for_gate(pod: KubernetesObject | None, condition: str) -> bool:
    """Whether the containers are ready, so that only the gate may hold the pod back."""
    containers = condition_of(pod, "ContainersReady") or {}
    return has_gate(pod, condition) and containers.get("status") == "True"


def condition_of(pod: KubernetesObject | None, condition: str) -> Mapping[str, Any] | None:
    """The pod's condition of a type."""
    conditions = ((pod or {}).get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == condition), None)


def judge(pod: KubernetesObject, condition: str, health: Mapping[str, Any] | None) -> Verdict:
    """What the target's health (`TargetHealth` of the ELBv2 API, None: not registered) means for the pod."""
    if not has_gate(pod, condition):
        return Verdict(None, changes_status=False, probe_again=False)
    status = "Unknown"
    told: dict[str, str] = {}
    if health:
        status = "True" if health["State"] == "healthy" else "False"
        told = {"reason": health.get("Reason") or "", "message": health.get("Description") or ""}
    wanted = {"type": condition, "status": status, **{key: text for key, text in told.items() if text}}
    have = condition_of(pod, condition) or {}
    same = all(have.get(key, "") == wanted.get(key, "") for key in ("status", "reason", "message"))
    return Verdict(
        condition=None if have and same else wanted,
        changes_status=have.get("status") != status,
        probe_again=status != "True",
    )


def needs_flip(pods: Iterable[KubernetesObject], condition: str) -> bool:
    """Whether a pod that was judged before is not healthy yet."""
    found = (condition_of(pod, condition) for pod in pods)
    return any(one is not None and one["status"] != "True" for one in found)
