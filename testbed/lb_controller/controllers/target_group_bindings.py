"""Bindings of target groups: registers the targets of Services and writes their health into pods.

```
deploy of a stack ─► bind: the objects ─► release: targets of new bindings, and the end of old ones
events ───────────────────────────────► register: targets of the bindings that stand
```

In the real controller bindings are reconciled by workers of their own, beside the stack. The order here is
that of its recorded calls: a new binding whose targets admit the balancer already registers at once; one for
which a security group must be opened first registers after the old binding's targets have left.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from botocore.exceptions import ClientError

from testbed.clock import Clock
from testbed.kubernetes import NotFound, ObjectStore, WatchEvent, object_fields
from testbed.kubernetes.endpoints_controller import endpoints_of
from testbed.lb_controller.controllers import readiness_gates
from testbed.lb_controller.controllers.target_registration import (
    Registrar,
    Target,
    TargetObjects,
    service_port,
    targets_of,
)
from testbed.lb_controller.core import stack_json
from testbed.lb_controller.core.stack import NetworkingRule, Stack, TargetGroupBinding
from testbed.lb_controller.deploy import target_access
from testbed.lb_controller.deploy.deploy_session import Log, Session
from testbed.lb_controller.deploy.inbound_rules import InboundRule
from testbed.lb_controller.deploy.target_access import TargetAccess

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

KIND = "TargetGroupBinding"
WATCHED = ("Endpoints", "Node", "Pod")
REGISTERING: Mapping[str, str] = {
    "State": "initial",
    "Reason": "Elb.RegistrationInProgress",
    "Description": "Target registration is in progress",
}
"""The health of a target that was registered just now."""

OwnerT = TypeVar("OwnerT", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding with the ARN of its target group, and with the ids of the groups that its targets admit."""

    binding: TargetGroupBinding
    target_group: str
    networking: tuple[NetworkingRule, ...] = ()


class Bindings(Generic[OwnerT]):
    """The bindings of all stacks that one controller deployed, by owner.

    Args:
        store: the cluster.
        elbv2: registers the targets.
        clock: gives the times of conditions.
        log: gets what goes wrong beside the deploy.
        access: opens the security group of the nodes; None where none are made.
    """

    def __init__(
        self,
        store: ObjectStore,
        elbv2: ElasticLoadBalancingv2Client,
        clock: Clock,
        log: Log,
        access: TargetAccess | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._access = access
        self._registrar = Registrar(elbv2)
        self._of: dict[OwnerT, tuple[Bound, ...]] = {}
        if access:
            for item in store.list(KIND):  # of an earlier process: their rules are not known yet
                access.announce(object_fields.spec(item)["targetGroupARN"])

    def stage(self, owner: OwnerT, stack: Stack) -> Stage[OwnerT]:
        """The stage of a deploy in which the bindings of an owner become those of its stack."""
        return Stage(self, owner, stack)

    def bind(self, stack: Stack, session: Session) -> tuple[Bound, ...]:
        """The bindings of a stack, which are in the cluster afterwards."""
        bound = tuple(
            Bound(one, session.arns[one.target_group.id], self._resolved(one, session))
            for one in stack.bindings
        )
        if stack.tag_prefix:  # the cloud provider of 2020 has no such objects
            self._publish(stack, bound)
        if self._access:
            for one in bound:
                self._access.announce(one.target_group)
        return bound

    def standing(self, stack: Stack) -> frozenset[str]:
        """The target groups of the bindings that a stack has in the cluster."""
        labels = stack_labels(stack)
        return frozenset(
            object_fields.spec(item)["targetGroupARN"]
            for item in self._store.list(KIND)
            if object_fields.labels_of(item) == labels
        )

    def replace(
        self, owner: OwnerT, bound: tuple[Bound, ...], standing: Iterable[str], *, cleans_up: bool
    ) -> None:
        """Let `bound` take the place of the owner's bindings; targets leave those that are gone.

        Args:
            owner: whose bindings.
            bound: the new ones.
            standing: the target groups of those that stood, also of an earlier process.
            cleans_up: False for the cloud provider of 2020, which deletes target groups with their targets.

        Raises:
            ClientError: AWS refused to let the targets of an old binding go.
        """
        before = {one.target_group: one for one in self._of.get(owner, ())}
        now = {one.target_group for one in bound}
        leaving = sorted({*before, *standing} - now) if cleans_up else []
        changed = [one for one in bound if before.get(one.target_group) != one] if cleans_up else []
        late = [one for one in changed if self._opens(one)]
        for one in changed:
            if one not in late:
                self._register_new(one)
        for arn in leaving:
            self._registrar.register(arn, frozenset())
        for one in late:
            self._register_new(one)
        for arn in leaving:
            self._admit(arn, ())
            if self._access:
                self._access.forget(arn)
        if bound:
            self._of[owner] = bound
        else:
            self._of.pop(owner, None)

    def concerned(self, event: WatchEvent) -> list[OwnerT]:
        """The owners whose targets may change by an event of a kind in `WATCHED`, or of a Service's ports."""
        return [
            owner
            for owner, bound in self._of.items()
            if any(_concerns(event.object, one.binding) for one in bound)
        ]

    def register(self, owner: OwnerT) -> bool:
        """Bring the targets of an owner's groups up to date.

        Returns:
            True if a readiness gate of a pod waits for the health of its target.

        Raises:
            ClientError: AWS refused a call.
        """
        waits = [self._register(one) for one in self._of.get(owner, ())]
        return any(waits)

    def _resolved(self, binding: TargetGroupBinding, session: Session) -> tuple[NetworkingRule, ...]:
        if self._access is None:
            return ()
        return tuple(
            replace(rule, security_groups=tuple(map(session.resolve_group, rule.security_groups)))
            for rule in binding.networking
        )

    def _register_new(self, bound: Bound) -> None:
        # Beside the deploy: what is refused here is tried again by the task for the owner's targets.
        with suppress(ClientError):
            self._register(bound)

    def _opens(self, bound: Bound) -> bool:
        if self._access is None:
            return False
        rules = self._rules(bound, targets_of(bound.binding, self._known(bound.binding)))
        return self._access.would_change(bound.target_group, rules)

    def _admit(self, target_group: str, rules: tuple[InboundRule, ...]) -> None:
        """Open the nodes' security group for the balancer; targets are registered even if AWS refuses."""
        if self._access is None:
            return
        try:
            self._access.reconcile(target_group, rules)
        except ClientError as error:
            self._log("error", f"FailedNetworkReconcile targetGroup={target_group} error={error}")

    def _rules(self, bound: Bound, targets: frozenset[Target]) -> tuple[InboundRule, ...]:
        if not targets or self._access is None:
            return ()
        return target_access.rules_of(bound.networking, [target.port for target in targets])

    def _publish(self, stack: Stack, bound: Iterable[Bound]) -> None:
        """Write the TargetGroupBinding objects that `kubectl` shows; the labels of the stack mark them."""
        labels = stack_labels(stack)
        wanted = {(one.binding.namespace, one.binding.name) for one in bound}
        for one in bound:
            shape = stack_json.binding(one.binding)
            spec = {**shape["spec"], "targetGroupARN": one.target_group}
            spec.pop("networking", None)  # no packet of the testbed is filtered
            metadata = {**shape["metadata"], "labels": labels}
            self._store.put({"kind": KIND, "metadata": metadata, "spec": spec})
        for item in self._store.list(KIND):
            name = object_fields.namespace(item), object_fields.name(item)
            if object_fields.labels_of(item) == labels and name not in wanted:
                with suppress(NotFound):  # deleted meanwhile
                    self._store.delete(KIND, *name)

    def _known(self, binding: TargetGroupBinding) -> TargetObjects:
        namespace, service = binding.namespace, binding.service_name
        pods = self._store.list("Pod", namespace) if binding.target_type == "ip" else []
        found = self._store.get("Service", namespace, service)
        endpoints = self._store.get("Endpoints", namespace, service)
        # The controllers start together: until the endpoints controller has written, the pods decide.
        return TargetObjects(
            service=found,
            endpoints=endpoints_of(found, pods) if found and endpoints is None else endpoints,
            nodes=tuple(self._store.list("Node")) if binding.target_type == "instance" else (),
            pods={object_fields.name(pod): pod for pod in pods},
        )

    def _register(self, bound: Bound) -> bool:
        binding = bound.binding
        known = self._known(binding)
        wanted = targets_of(binding, known)
        if service_port(binding, known.service) is None:
            # The Service or its port is gone: the targets leave before the nodes are closed to the balancer.
            self._registrar.register(bound.target_group, frozenset())
            self._admit(bound.target_group, ())
            return False
        self._admit(bound.target_group, self._rules(bound, wanted))
        health = self._registrar.register(bound.target_group, wanted)
        condition = readiness_gates.condition_type(binding.name)
        gated = [pod for pod in (known.pods or {}).values() if readiness_gates.has_gate(pod, condition)]
        waits = [self._write_condition(pod, condition, _health_of(pod, wanted, health)) for pod in gated]
        return any(waits)

    def _write_condition(
        self, pod: Mapping[str, Any], condition: str, health: Mapping[str, Any] | None
    ) -> bool:
        verdict = readiness_gates.judge(pod, condition, health)
        if verdict.condition is not None:
            old = readiness_gates.condition_of(pod, condition) or {}
            kept = old.get("lastTransitionTime", self._clock.rfc3339())
            moment = self._clock.rfc3339() if verdict.changes_status else kept
            others = [one for one in _conditions(pod) if one["type"] != condition]
            status = {
                **(pod.get("status") or {}),
                "conditions": [{**verdict.condition, "lastTransitionTime": moment}, *others],
            }
            try:
                self._store.update_status(
                    "Pod", object_fields.namespace(pod), object_fields.name(pod), status
                )
            except NotFound:
                return False  # deleted meanwhile: an event reports it
        return verdict.probe_again


class Stage(Generic[OwnerT]):
    """The bindings of one stack while it is deployed; see `stack_deployer.BindingStage`."""

    def __init__(self, bindings: Bindings[OwnerT], owner: OwnerT, stack: Stack) -> None:
        self._bindings, self._owner, self._stack = bindings, owner, stack
        self._bound: tuple[Bound, ...] = ()
        self._standing: frozenset[str] = frozenset()

    def bind(self, session: Session) -> None:
        """Make the bindings that the stack has now."""
        self._standing = self._bindings.standing(self._stack)
        self._bound = self._bindings.bind(self._stack, session)

    def release(self) -> None:
        """Register the targets of new bindings, and let those of old ones go."""
        cleans_up = bool(self._stack.tag_prefix)
        self._bindings.replace(self._owner, self._bound, self._standing, cleans_up=cleans_up)


def stack_labels(stack: Stack) -> dict[str, str]:
    """The labels of a stack's objects: two for `namespace/name`, as a label must not hold a slash."""
    namespace, _, name = stack.id.rpartition("/")
    if not namespace:
        return {f"{stack.tag_prefix}/stack": name}
    return {f"{stack.tag_prefix}/stack-namespace": namespace, f"{stack.tag_prefix}/stack-name": name}


def _concerns(item: Mapping[str, Any], binding: TargetGroupBinding) -> bool:
    if item["kind"] == "Service":
        return (object_fields.namespace(item), object_fields.name(item)) == (
            binding.namespace,
            binding.service_name,
        )
    if item["kind"] == "Node":
        return binding.target_type == "instance"
    if binding.target_type != "ip" or object_fields.namespace(item) != binding.namespace:
        return False
    if item["kind"] == "Endpoints":
        return object_fields.name(item) == binding.service_name
    return True  # a pod whose labels changed does not show which Service had selected it


def _health_of(
    pod: Mapping[str, Any], wanted: Iterable[Target], health: Mapping[Target, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    address = (pod.get("status") or {}).get("podIP")
    mine = [target for target in wanted if target.id == address]
    return health.get(mine[0], REGISTERING) if mine else None


def _conditions(pod: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (pod.get("status") or {}).get("conditions") or ()
