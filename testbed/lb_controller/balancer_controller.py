"""What the controllers have in common: which changes count, targets, finalizers, status and events."""

from __future__ import annotations

import abc
import enum
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

from testbed.clock import Clock
from testbed.kubernetes import Change, NotFound, ObjectStore, WatchEvent
from testbed.lb_controller import objects, status
from testbed.lb_controller.bindings import Bindings, OwnerT
from testbed.lb_controller.deploy import Deployed, Deployer, DeployError, told_as_deploy_error
from testbed.lb_controller.inputs import ControllerOptions, KubernetesObject
from testbed.lb_controller.stack import Stack
from testbed.lb_controller.work import Controller, Log, Retry

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

PROBE_AGAIN = 15.0
"""Production seconds until an unhealthy target is looked at again (`targetHealthRequeueDuration`)."""


class Part(enum.Enum):
    """What of an owner must be reconciled."""

    BALANCER = "balancer"
    TARGETS = "targets"


@dataclass(frozen=True, slots=True)
class Task(Generic[OwnerT]):
    """A part of an owner (Service or group) that must be looked at."""

    part: Part
    owner: OwnerT

    def __str__(self) -> str:
        return f"{self.part.value} of {self.owner}"


class BalancerController(Controller[Task[OwnerT]], Generic[OwnerT]):
    """Reconciles owners, each of which has one stack.

    Attributes:
        component: who says its events.
        options: the controller's flags.
    """

    component = ""

    def __init__(
        self,
        store: ObjectStore,
        elbv2: ElasticLoadBalancingv2Client,
        options: ControllerOptions,
        clock: Clock,
        log: Log,
    ) -> None:
        super().__init__(store, clock, log)
        self.options = options
        self._deployer = Deployer(elbv2, options, log)
        self._bindings: Bindings[OwnerT] = Bindings(store, elbv2, clock)
        self._last: dict[tuple[str, str], KubernetesObject] = {}

    def attempt(self, task: Task[OwnerT]) -> None:
        """Reconcile the balancer or just the targets of an owner."""
        if task.part is Part.BALANCER:
            self.reconcile(task.owner)
        else:
            try:
                self.register(task.owner)
            except DeployError as error:
                raise Retry(str(error)) from None

    @abc.abstractmethod
    def reconcile(self, owner: OwnerT) -> None:
        """Make AWS and the objects' status what the objects want. Raises `Retry`."""

    def deploy(self, owner: OwnerT, stack: Stack) -> Deployed:
        """Deploy the stack of an owner, without its targets.

        Raises:
            DeployError: AWS refused a call.
        """
        deployed = self._deployer.deploy(stack)
        self._bindings.bind(owner, stack, deployed.target_groups)
        return deployed

    def register(self, owner: OwnerT) -> None:
        """Bring the targets of an owner up to date.

        Raises:
            DeployError: AWS refused a call.
        """
        with told_as_deploy_error(self.options.version):
            waits = self._bindings.register(owner)
        if waits:
            self.again(Task(Part.TARGETS, owner), PROBE_AGAIN)

    def failed(self, items: Iterable[KubernetesObject], reason: str, message: str) -> Retry:
        """Tell a failure on all objects that it concerns."""
        for item in items:
            self.say(item, "Warning", reason, message)
        return Retry(message)

    def previous(self, event: WatchEvent) -> tuple[KubernetesObject | None, bool]:
        """The object before an event, and whether something changed that the controller cares for."""
        key = event.object["kind"], objects.key(event.object)
        before = self._last.get(key)
        if event.type is Change.DELETED:
            self._last.pop(key, None)
            return before, True
        self._last[key] = event.object
        return before, before is None or _concern(before) != _concern(event.object)

    def target_tasks(self, event: WatchEvent) -> list[Task[OwnerT]]:
        """What an event of endpoints, nodes or pods asks for."""
        return [Task(Part.TARGETS, owner) for owner in self._bindings.concerned(event)]

    def say(self, item: KubernetesObject, kind: str, reason: str, message: str) -> None:
        """Record an event of `kind` Normal or Warning."""
        self.store.record_event(item, kind, reason, message, component=self.component)

    def add_finalizer(self, item: KubernetesObject, finalizer: str) -> None:
        """Hold the object until `remove_finalizer`."""
        have = objects.finalizers(item)
        if finalizer not in have:
            self._patch_finalizers(item, [*have, finalizer])

    def remove_finalizer(self, item: KubernetesObject, finalizer: str) -> None:
        """Let the object go."""
        have = objects.finalizers(item)
        if finalizer in have:
            self._patch_finalizers(item, [one for one in have if one != finalizer])

    def _patch_finalizers(self, item: KubernetesObject, finalizers: list[str]) -> None:
        patch = {"metadata": {"finalizers": finalizers or None}}
        with _gone_is_fine():
            self.store.patch(item["kind"], objects.namespace(item), objects.name(item), patch)

    def set_status(self, item: KubernetesObject, entries: list[dict[str, Any]]) -> None:
        """Write `status.loadBalancer`, unless it says the same already."""
        if status.is_equal(entries, status.entries(item)):
            return
        balancer = {"ingress": entries} if entries else {}
        new = {**(item.get("status") or {}), "loadBalancer": balancer}
        with _gone_is_fine():
            self.store.update_status(item["kind"], objects.namespace(item), objects.name(item), new)


def _concern(item: KubernetesObject) -> tuple[Any, ...]:
    """What the controllers compare of two versions of an object; status and finalizers are not in it."""
    metadata: Mapping[str, Any] = item["metadata"]
    return (
        metadata.get("uid"),
        metadata.get("annotations") or {},
        metadata.get("labels") or {} if item["kind"] == "Namespace" else None,
        metadata.get("deletionTimestamp"),
        item.get("spec"),
    )


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """An object that was deleted meanwhile needs nothing more; its end comes as an event."""
    try:
        yield
    except NotFound:
        return
