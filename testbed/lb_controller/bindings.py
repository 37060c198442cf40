"""Keeps the targets of deployed target groups what their Services say, and tells pods how they do."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from testbed.clock import Clock
from testbed.kubernetes import NotFound, ObjectStore, WatchEvent
from testbed.lb_controller import objects, readiness, stack_json
from testbed.lb_controller.endpoints import endpoints_of
from testbed.lb_controller.stack import Stack, TargetGroupBinding
from testbed.lb_controller.targets import Registrar, Target, TargetObjects, targets_of

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

KIND = "TargetGroupBinding"
WATCHED = ("Endpoints", "Node", "Pod")
REGISTERING: Mapping[str, str] = {
    "State": "initial",
    "Reason": "Elb.RegistrationInProgress",
    "Description": "Target registration is in progress",
}
"""The health of a target that was registered a moment ago."""

OwnerT = TypeVar("OwnerT", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding with the ARN of its target group."""

    binding: TargetGroupBinding
    target_group: str


class Bindings(Generic[OwnerT]):
    """The bindings of everything that one controller deployed, by owner."""

    def __init__(self, store: ObjectStore, elbv2: ElasticLoadBalancingv2Client, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._registrar = Registrar(elbv2)
        self._of: dict[OwnerT, tuple[Bound, ...]] = {}

    def bind(self, owner: OwnerT, stack: Stack, target_groups: Mapping[str, str]) -> None:
        """Replace the bindings of an owner by those of its stack, in the cluster too."""
        bound = tuple(Bound(one, target_groups[one.target_group.id]) for one in stack.bindings)
        if stack.tag_prefix:  # the cloud provider of 2020 has no such objects
            self._publish(stack, bound)
        if bound:
            self._of[owner] = bound
        else:
            self._of.pop(owner, None)

    def concerned(self, event: WatchEvent) -> list[OwnerT]:
        """The owners whose targets may change by an event of a kind in `WATCHED`."""
        return [
            owner
            for owner, bound in self._of.items()
            if any(_concerns(event.object, one.binding) for one in bound)
        ]

    def register(self, owner: OwnerT) -> bool:
        """Bring the targets of an owner's groups up to date.

        Returns:
            Whether a pod's readiness gate waits for the health of its target.

        Raises:
            ClientError: AWS refused a call.
        """
        waits = [self._register(one) for one in self._of.get(owner, ())]
        return any(waits)

    def _publish(self, stack: Stack, bound: Iterable[Bound]) -> None:
        """The TargetGroupBinding objects that `kubectl` shows, known again by the labels of their stack."""
        labels = stack_labels(stack)
        wanted = {(one.binding.namespace, one.binding.name) for one in bound}
        for one in bound:
            shape = stack_json.binding(one.binding)
            spec = {**shape["spec"], "targetGroupARN": one.target_group}
            spec.pop("networking", None)  # no packet of the testbed is filtered
            metadata = {**shape["metadata"], "labels": labels}
            self._store.apply({"kind": KIND, "metadata": metadata, "spec": spec})
        for item in self._store.list(KIND):
            name = objects.namespace(item), objects.name(item)
            if objects.labels_of(item) == labels and name not in wanted:
                with suppress(NotFound):  # somebody was faster
                    self._store.delete(KIND, *name)

    def _register(self, bound: Bound) -> bool:
        binding = bound.binding
        namespace, service = binding.namespace, binding.service_name
        pods = self._store.list("Pod", namespace) if binding.target_type == "ip" else []
        found = self._store.get("Service", namespace, service)
        endpoints = self._store.get("Endpoints", namespace, service)
        known = TargetObjects(
            service=found,
            endpoints=endpoints_of(found, pods) if found and endpoints is None else endpoints,
            nodes=tuple(self._store.list("Node")) if binding.target_type == "instance" else (),
            pods={objects.name(pod): pod for pod in pods},
        )
        wanted = targets_of(binding, known)
        health = self._registrar.register(bound.target_group, wanted)
        condition = readiness.condition_type(binding.name)
        gated = [pod for pod in pods if readiness.has_gate(pod, condition)]
        waits = [self._tell(pod, condition, _health_of(pod, wanted, health)) for pod in gated]
        return any(waits)

    def _tell(self, pod: Mapping[str, Any], condition: str, health: Mapping[str, Any] | None) -> bool:
        verdict = readiness.judge(pod, condition, health)
        if verdict.condition is not None:
            old = readiness.condition_of(pod, condition) or {}
            kept = old.get("lastTransitionTime", self._clock.rfc3339())
            moment = self._clock.rfc3339() if verdict.changes_status else kept
            others = [one for one in _conditions(pod) if one["type"] != condition]
            status = {
                **(pod.get("status") or {}),
                "conditions": [{**verdict.condition, "lastTransitionTime": moment}, *others],
            }
            try:
                self._store.update_status("Pod", objects.namespace(pod), objects.name(pod), status)
            except NotFound:
                return False  # it went meanwhile; its end comes as an event
        return verdict.probe_again


def stack_labels(stack: Stack) -> dict[str, str]:
    """The labels of a stack's objects; a slash is no character of a label, so it is told in two."""
    namespace, _, name = stack.id.rpartition("/")
    if not namespace:
        return {f"{stack.tag_prefix}/stack": name}
    return {f"{stack.tag_prefix}/stack-namespace": namespace, f"{stack.tag_prefix}/stack-name": name}


def _concerns(item: Mapping[str, Any], binding: TargetGroupBinding) -> bool:
    if item["kind"] == "Node":
        return binding.target_type == "instance"
    if binding.target_type != "ip" or objects.namespace(item) != binding.namespace:
        return False
    if item["kind"] == "Endpoints":
        return objects.name(item) == binding.service_name
    return True  # a pod of the namespace: its labels may have changed, so it cannot tell whose it was


def _health_of(
    pod: Mapping[str, Any], wanted: Iterable[Target], health: Mapping[Target, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    address = (pod.get("status") or {}).get("podIP")
    mine = [target for target in wanted if target.id == address]
    return health.get(mine[0], REGISTERING) if mine else None


def _conditions(pod: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (pod.get("status") or {}).get("conditions") or ()
