"""The steps that all controllers share: relevant changes, deploy, targets, finalizers, status, events."""

from __future__ import annotations

import abc
import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic

from testbed.clock import Clock
from testbed.dated_releases import Release
from testbed.kubernetes import Change, NotFound, ObjectStore, WatchEvent, object_fields
from testbed.lb_controller.controllers import load_balancer_status
from testbed.lb_controller.controllers.target_group_bindings import Bindings, OwnerT
from testbed.lb_controller.controllers.work_queue import Controller, Retry
from testbed.lb_controller.core import annotation_dates, unmodelled, unobeyed
from testbed.lb_controller.core.build_inputs import (
    SHARED_GROUP,
    BuildError,
    ControllerOptions,
    KubernetesObject,
)
from testbed.lb_controller.core.stack import Stack
from testbed.lb_controller.deploy.account_state import Account
from testbed.lb_controller.deploy.deploy_session import DeployError, Log, as_deploy_error
from testbed.lb_controller.deploy.stack_deployer import Deployed, Deployer

Notice = Callable[[str, str], None]
"""Told what the testbed leaves out: of which objects, and what."""

_FINALIZERS = (
    *("group.ingress.k8s.aws/", "ingress.k8s.aws/resources", "service.k8s.aws/resources"),
    "gateway.k8s.aws/",
)
PROBE_AGAIN = 15.0
"""Production seconds until an unhealthy target is read again (`targetHealthRequeueDuration`)."""


class Part(enum.Enum):
    """A part of an owner that can be reconciled alone."""

    BALANCER = "balancer"
    TARGETS = "targets"


@dataclass(frozen=True, slots=True)
class Task(Generic[OwnerT]):
    """A part of an owner (Service or group) that must be reconciled."""

    part: Part
    owner: OwnerT

    def __str__(self) -> str:
        return f"{self.part.value} of {self.owner}"


class BalancerController(Controller[Task[OwnerT]], Generic[OwnerT]):
    """Reconciles owners, each with one stack.

    Attributes:
        component: the source that its events name.
        release: the release that it plays whatever the options say; None for theirs.
        account: the AWS account.
        options: the controller's flags.
    """

    component = ""
    release: Release | None = None

    def __init__(
        self,
        store: ObjectStore,
        account: Account,
        options: ControllerOptions,
        clock: Clock,
        log: Log,
        notice: Notice = lambda owner, text: None,  # noqa: ARG005
    ) -> None:
        super().__init__(store, clock, log)
        self._notice = notice
        self._noticed: set[tuple[str, str]] = set()
        self.account = account
        self.options = replace(options, release=self.release or options.release)
        self._shared_groups: dict[str, str] = {}
        groups = account.security_groups
        self._deployer = Deployer(account.elbv2, self.options, log, groups.ec2 if groups else None)
        self._bindings: Bindings[OwnerT] = Bindings(
            store, account.elbv2, clock, log, groups.targets if groups else None
        )

    def attempt(self, task: Task[OwnerT]) -> Iterator[None] | None:
        """Reconcile the load balancer of an owner, or its targets alone."""
        if task.part is Part.BALANCER:
            return self.reconcile(task.owner)
        try:
            self.register(task.owner)
        except DeployError as error:
            raise Retry(str(error)) from None
        return None

    @abc.abstractmethod
    def reconcile(self, owner: OwnerT) -> Iterator[None]:
        """Make AWS and the status of the objects match the objects; yield once the model is built.

        Raises:
            Retry: it must be tried again.
        """

    def deploy(self, owner: OwnerT, stack: Stack) -> Deployed:
        """Deploy the stack of an owner.

        Raises:
            DeployError: AWS refused a call.
        """
        # As it was when the model was built: another stack may have released it meanwhile.
        shared = self._shared_groups.get(stack.id)
        return self._deployer.deploy(stack, self._bindings.stage(owner, stack), shared)

    def modelled(self, items: Sequence[KubernetesObject], build: Callable[[], Stack]) -> Stack:
        """The stack of some objects, built as the AWS Load Balancer Controller does it.

        Raises:
            Retry: it cannot be built, or AWS refused a call; each object has the event FailedBuildModel.
        """
        groups = self.account.security_groups
        try:
            with as_deploy_error(self.options.release):
                stack = build()
                if groups and stack.uses_security_group(SHARED_GROUP):
                    shared = groups.shared.get(map(title, items), self.options.default_tags)
                    self._shared_groups[stack.id] = shared
                return stack
        except (BuildError, DeployError) as error:
            message = f"Failed build model due to {error}"
            raise self.failed(items, "FailedBuildModel", message) from None

    def owner_title(self, owner: OwnerT) -> str:
        """The owner as plans name it."""
        return f"Service {owner}"

    def deployed(
        self,
        owner: OwnerT,
        items: Sequence[KubernetesObject],
        stack: Stack,
        left: Sequence[KubernetesObject] = (),
    ) -> Deployed:
        """Deploy the stack of an owner as the AWS Load Balancer Controller does it.

        Args:
            owner: whose stack.
            items: the objects that it is made of.
            stack: the stack.
            left: objects that are no part of it any more.

        Raises:
            Retry: AWS refused a call; each object has the event FailedDeployModel.
        """
        self.leaves_out(owner, (text for item in items for text in self._not_played(item)))
        self.leaves_out(owner, (f"{unobeyed.PHRASE}: {one}" for one in unobeyed.unobeyed(stack)))
        groups = self.account.security_groups
        try:
            result = self.deploy(owner, stack)
            if groups:
                idle = left if stack.uses_security_group(SHARED_GROUP) else [*left, *items]
                with as_deploy_error(self.options.release):
                    groups.shared.release(map(title, idle), self._with_finalizers())
        except DeployError as error:
            message = f"Failed deploy model due to {error}"
            raise self.failed(items, "FailedDeployModel", message) from None
        self.again(Task(Part.TARGETS, owner), 0)  # the bindings have a controller of their own
        return result

    def leaves_out(self, owner: OwnerT, texts: Iterable[str]) -> None:
        """Say once for each owner what the run does not play of its objects."""
        for text in texts:
            notice = self.owner_title(owner), text
            if notice not in self._noticed:
                self._noticed.add(notice)
                self._notice(*notice)

    def _not_played(self, item: KubernetesObject) -> Iterator[str]:
        release, of = self.options.release, f"of {item['kind']} {object_fields.key(item)}"
        for one in annotation_dates.ignored(item, release):
            yield f"not read by {release}: {one.key} {of}, which {one.since} is the first to read"
        for key in unmodelled.unmodelled(item, release):
            yield f"{unmodelled.PHRASE}: {key} {of}"

    def register(self, owner: OwnerT) -> None:
        """Bring the targets of an owner up to date.

        Raises:
            DeployError: AWS refused a call.
        """
        with as_deploy_error(self.options.release):
            waits = self._bindings.register(owner)
        # Nothing reports a change of target health, so the controller polls while a readiness gate waits for
        # it.
        if waits:
            self.again(Task(Part.TARGETS, owner), PROBE_AGAIN)

    def failed(self, items: Iterable[KubernetesObject], reason: str, message: str) -> Retry:
        """Record a failure as an event of each object; return the exception to raise."""
        for item in items:
            self.say(item, "Warning", reason, message)
        return Retry(message)

    def _with_finalizers(self) -> list[str]:
        return [
            title(item)
            for kind in ("Ingress", "Service", "Gateway")
            for item in self.store.list(kind)
            if not object_fields.is_being_deleted(item)
            and any(one.startswith(_FINALIZERS) for one in object_fields.finalizers(item))
        ]

    def target_tasks(self, event: WatchEvent) -> list[Task[OwnerT]]:
        """The tasks that an event of endpoints, nodes or pods makes necessary."""
        return [Task(Part.TARGETS, owner) for owner in self._bindings.concerned(event)]

    def say(self, item: KubernetesObject, kind: str, reason: str, message: str) -> None:
        """Record an event of `kind` Normal or Warning."""
        self.store.record_event(item, kind, reason, message, component=self.component)

    def add_finalizer(self, item: KubernetesObject, finalizer: str) -> None:
        """Keep the object from being deleted until `remove_finalizer`."""
        self._patch_finalizers(item, lambda have: [*have, *([finalizer] if finalizer not in have else [])])

    def remove_finalizer(self, item: KubernetesObject, finalizer: str) -> None:
        """Let the object be deleted."""
        self._patch_finalizers(item, lambda have: [one for one in have if one != finalizer])

    def _patch_finalizers(self, item: KubernetesObject, change: Callable[[Sequence[str]], list[str]]) -> None:
        kind, namespace, name = item["kind"], object_fields.namespace(item), object_fields.name(item)
        with self.store.transaction():
            # As they are now: the group that an Ingress joins adds one while the one that it leaves works.
            current = self.store.get(kind, namespace, name)
            if current is None:
                return  # deleted meanwhile: an event reports it
            have = object_fields.finalizers(current)
            wanted = change(have)
            if wanted != [*have]:
                self.store.patch(kind, namespace, name, {"metadata": {"finalizers": wanted or None}})

    def set_status(self, item: KubernetesObject, entries: list[dict[str, Any]]) -> None:
        """Write `status.loadBalancer`, unless it is the same already."""
        if load_balancer_status.is_equal(entries, load_balancer_status.entries(item)):
            return
        balancer = {"ingress": entries} if entries else {}
        new = {**(item.get("status") or {}), "loadBalancer": balancer}
        with _deleted_meanwhile_is_fine():
            self.store.update_status(
                item["kind"], object_fields.namespace(item), object_fields.name(item), new
            )


def title(item: KubernetesObject) -> str:
    """`Service default/envoy`."""
    return f"{item['kind']} {object_fields.key(item)}"


def changes_ports(event: WatchEvent) -> bool:
    """True for a Service that goes, or whose ports are new or changed: its bindings follow at once."""
    if event.object["kind"] != "Service":
        return False
    before = event.previous
    if event.type is Change.DELETED or before is None:
        return True
    return bool(object_fields.spec(before).get("ports") != object_fields.spec(event.object).get("ports"))


def is_relevant(event: WatchEvent) -> bool:
    """True unless only fields changed that the controllers do not compare."""
    before = event.previous
    return event.type is not Change.MODIFIED or before is None or _compared(before) != _compared(event.object)


def _compared(item: KubernetesObject) -> tuple[Any, ...]:
    """The fields that the controllers compare of two versions of an object: no status, no finalizers."""
    metadata: Mapping[str, Any] = item["metadata"]
    return (
        metadata.get("uid"),
        metadata.get("annotations") or {},
        metadata.get("labels") or {} if item["kind"] == "Namespace" else None,
        metadata.get("deletionTimestamp"),
        item.get("spec"),
    )


@contextmanager
def _deleted_meanwhile_is_fine() -> Iterator[None]:
    """Ignore that an object was deleted meanwhile: an event reports it."""
    try:
        yield
    except NotFound:
        return
