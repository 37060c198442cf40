"""The two controllers: Services to NLBs, Ingress groups to ALBs.

```
Ingress ──┐                 finalizers on ─► model ─► deploy ─► targets ─► status ─► finalizers off
Service ──┤ events ─► task ─┤ (BuildError)     │        │                            of those that left
Class   ──┘                 FailedBuildModel ◄─┘        └─► FailedDeployModel; AWS and status stay
Endpoints, Node, Pod ─► targets only
```

An error in one member stops its whole group: what stands in AWS goes on serving. Sources:
controllers/ingress/group_controller.go of the AWS Load Balancer Controller, and
k8s.io/cloud-provider/controllers/service of 1.19.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic

from testbed.clock import Clock
from testbed.kubernetes import NotFound, ObjectStore, WatchEvent
from testbed.kubernetes.watch import Change
from testbed.lb_controller import bindings, groups, in_tree, model, objects, status
from testbed.lb_controller.account import Account
from testbed.lb_controller.bindings import Bindings, OwnerT
from testbed.lb_controller.classes import IngressObjects
from testbed.lb_controller.deploy import Deployed, Deployer, DeployError, told_as_deploy_error
from testbed.lb_controller.inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    GroupID,
    KubernetesObject,
    Subnet,
    Version,
)
from testbed.lb_controller.stack import Stack
from testbed.lb_controller.work import SERVICE_CONTROLLER, Controller, Log, Retry

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient
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


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A Service by its name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class _BalancerController(Controller[Task[OwnerT]], Generic[OwnerT]):
    """What both have in common: bindings, events, finalizers, and which changes count."""

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
        self.bindings: Bindings[OwnerT] = Bindings(store, elbv2, clock)
        self._last: dict[tuple[str, str], KubernetesObject] = {}

    def attempt(self, task: Task[OwnerT]) -> None:
        """Reconcile the balancer or just the targets of an owner."""
        if task.part is Part.BALANCER:
            self.reconcile(task.owner)
        else:
            self._register(task.owner)

    def reconcile(self, owner: OwnerT) -> None:
        """Make AWS and the objects' status what the objects want. Raises `Retry`."""
        raise NotImplementedError

    def _register(self, owner: OwnerT) -> None:
        try:
            with told_as_deploy_error(self.options.version):
                waits = self.bindings.register(owner)
        except DeployError as error:
            raise Retry(str(error)) from None
        if waits:
            self.again(Task(Part.TARGETS, owner), PROBE_AGAIN)

    def _previous(self, event: WatchEvent) -> tuple[KubernetesObject | None, bool]:
        """The object before an event, and whether something changed that the controller cares for."""
        key = event.object["kind"], objects.key(event.object)
        before = self._last.get(key)
        if event.type is Change.DELETED:
            self._last.pop(key, None)
            return before, True
        self._last[key] = event.object
        return before, before is None or _concern(before) != _concern(event.object)

    def _target_tasks(self, event: WatchEvent) -> list[Task[OwnerT]]:
        return [Task(Part.TARGETS, owner) for owner in self.bindings.concerned(event)]

    def _say(self, item: KubernetesObject, kind: str, reason: str, message: str) -> None:
        self.store.record_event(item, kind, reason, message, component=self.component)

    def _add_finalizer(self, item: KubernetesObject, finalizer: str) -> None:
        have = objects.finalizers(item)
        if finalizer not in have:
            self._patch_finalizers(item, [*have, finalizer])

    def _remove_finalizer(self, item: KubernetesObject, finalizer: str) -> None:
        have = objects.finalizers(item)
        if finalizer in have:
            self._patch_finalizers(item, [one for one in have if one != finalizer])

    def _patch_finalizers(self, item: KubernetesObject, finalizers: list[str]) -> None:
        patch = {"metadata": {"finalizers": finalizers or None}}
        with _gone_is_fine():
            self.store.patch(item["kind"], objects.namespace(item), objects.name(item), patch)

    def _set_status(self, item: KubernetesObject, entries: list[dict[str, Any]]) -> None:
        if status.is_equal(entries, status.entries(item)):
            return
        balancer = {"ingress": entries} if entries else {}
        new = {**(item.get("status") or {}), "loadBalancer": balancer}
        with _gone_is_fine():
            self.store.update_status(item["kind"], objects.namespace(item), objects.name(item), new)


# --- Services ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOwner:
    """A controller of Services: what is its own, what it builds, and how it tells of it.

    Attributes:
        finalizer: holds a Service until its balancer is gone.
        wants: whether the Service is to have a balancer of this controller.
        build: its stack. Raises `BuildError`.
        empty: the stack of a Service (namespace, name) that is to have none.
        component: source of its events.
        before, after: events around a successful reconcile.
        build_failed, deploy_failed: reason and text, which holds the error at `{}`.
        cleaning, cleaned: events around the deletion.
    """

    finalizer: str
    wants: Callable[[KubernetesObject], bool]
    build: Callable[[KubernetesObject, ClusterState, ControllerOptions], Stack]
    empty: Callable[[str, str, ControllerOptions], Stack]
    component: str
    before: tuple[str, str] | None
    after: tuple[str, str]
    build_failed: tuple[str, str]
    deploy_failed: tuple[str, str]
    cleaning: tuple[str, str] | None
    cleaned: tuple[str, str] | None


_SYNC_FAILED = (
    "SyncLoadBalancerFailed",
    "Error syncing load balancer: failed to ensure load balancer: {}",
)

CLOUD_PROVIDER = ServiceOwner(
    finalizer=in_tree.FINALIZER,
    wants=in_tree.owns,
    build=in_tree.build,
    empty=in_tree.empty_stack,
    component="service-controller",
    before=("EnsuringLoadBalancer", "Ensuring load balancer"),
    after=("EnsuredLoadBalancer", "Ensured load balancer"),
    build_failed=_SYNC_FAILED,
    deploy_failed=_SYNC_FAILED,
    cleaning=("DeletingLoadBalancer", "Deleting load balancer"),
    cleaned=("DeletedLoadBalancer", "Deleted load balancer"),
)
"""Kubernetes' own controller with the AWS cloud provider of 2020."""


class ServiceController(_BalancerController[ServiceKey]):
    """Makes the NLBs of Services of type LoadBalancer.

    A Service keeps its NLB until it is deleted or leaves type LoadBalancer: taking an annotation away never
    deletes it.
    """

    kinds = ("Service", *bindings.WATCHED)
    backoff = SERVICE_CONTROLLER

    def __init__(
        self,
        store: ObjectStore,
        elbv2: ElasticLoadBalancingv2Client,
        subnets: tuple[Subnet, ...],
        options: ControllerOptions,
        clock: Clock,
        log: Log,
        owner: ServiceOwner = CLOUD_PROVIDER,
    ) -> None:
        if owner is CLOUD_PROVIDER:
            # It is of 2020 whatever the LB controller's version: SDK v1's error texts, no modern rules.
            options = replace(options, version=Version.V2_1)
        super().__init__(store, elbv2, options, clock, log)
        self.component = owner.component
        self._owner = owner
        self._deployer = Deployer(elbv2, options, log)
        self._account = Account(elbv2, None, options.cluster_name, subnets)

    def tasks_of(self, event: WatchEvent) -> Iterable[Task[ServiceKey]]:
        """A Service that changed in more than its status; otherwise targets."""
        if event.object["kind"] != "Service":
            return self._target_tasks(event)
        _, is_relevant = self._previous(event)
        if not is_relevant or event.type is Change.DELETED:
            return ()
        key = ServiceKey(objects.namespace(event.object), objects.name(event.object))
        return (Task(Part.BALANCER, key),)

    def reconcile(self, owner: ServiceKey) -> None:
        """Ensure the NLB of a Service, or take it away."""
        service = self.store.get("Service", owner.namespace, owner.name)
        if service is None:
            return
        has_finalizer = self._owner.finalizer in objects.finalizers(service)
        if objects.is_being_deleted(service) or objects.spec(service).get("type") != "LoadBalancer":
            if has_finalizer:
                self._clean_up(owner, service)
        elif self._owner.wants(service):
            self._ensure(owner, service)
        elif has_finalizer:
            self.log(
                "warning", f"service {owner} no longer asks for this NLB, which stays until it is deleted"
            )

    def _ensure(self, key: ServiceKey, service: KubernetesObject) -> None:
        words = self._owner
        if words.before:
            self._say(service, "Normal", *words.before)
        self._add_finalizer(service, words.finalizer)
        try:
            with told_as_deploy_error(self.options.version):
                cluster = self._cluster_state()
            stack = words.build(service, cluster, self.options)
        except (BuildError, DeployError) as error:
            raise self._failed(service, words.build_failed, error) from None
        try:
            deployed = self._deployer.deploy(stack)
        except DeployError as error:
            raise self._failed(service, words.deploy_failed, error) from None
        self.bindings.bind(key, stack, deployed.target_groups)
        self._register(key)
        assert deployed.dns_name is not None, "the stack of a Service that wants a balancer has one"
        self._set_status(service, status.of_service(deployed.dns_name))
        self._say(service, "Normal", *words.after)

    def _cluster_state(self) -> ClusterState:
        services = self.store.list("Service")
        if self._owner is CLOUD_PROVIDER:  # it asks nothing else of AWS, and a quick start counts
            return ClusterState(subnets=self._account.subnets)
        return self._account.state(services)

    def _clean_up(self, key: ServiceKey, service: KubernetesObject) -> None:
        words = self._owner
        if words.cleaning:
            self._say(service, "Normal", *words.cleaning)
        empty = words.empty(key.namespace, key.name, self.options)
        try:
            self._deployer.deploy(empty)
        except DeployError as error:
            raise self._failed(service, words.deploy_failed, error) from None
        self.bindings.bind(key, empty, {})
        self._set_status(service, [])
        if words.cleaned:
            self._say(service, "Normal", *words.cleaned)
        self._remove_finalizer(service, words.finalizer)

    def _failed(self, service: KubernetesObject, words: tuple[str, str], error: Exception) -> Retry:
        reason, text = words
        self._say(service, "Warning", reason, text.format(error))
        return Retry(str(error))


# --- Ingress groups --------------------------------------------------------------------------------------


class IngressGroupController(_BalancerController[GroupID]):
    """Makes one ALB of each Ingress group."""

    kinds = (
        "Ingress",
        "Service",
        "IngressClass",
        "IngressClassParams",
        "Namespace",
        *bindings.WATCHED,
    )
    component = "ingress"

    def __init__(
        self,
        store: ObjectStore,
        elbv2: ElasticLoadBalancingv2Client,
        acm: ACMClient | None,
        subnets: tuple[Subnet, ...],
        options: ControllerOptions,
        clock: Clock,
        log: Log,
    ) -> None:
        super().__init__(store, elbv2, options, clock, log)
        self._deployer = Deployer(elbv2, options, log)
        self._account = Account(elbv2, acm, options.cluster_name, subnets)

    def tasks_of(self, event: WatchEvent) -> Iterable[Task[GroupID]]:
        """Every group that an event may concern, the one that was left and the one that was joined."""
        kind = event.object["kind"]
        if kind in bindings.WATCHED:
            return self._target_tasks(event)
        before, is_relevant = self._previous(event)
        if not is_relevant or (kind == "Ingress" and event.type is Change.DELETED):
            return ()  # what a deleted Ingress needs was done while its finalizer held it
        found: dict[GroupID, None] = {}
        if kind == "Ingress":
            for ingress in filter(None, (before, event.object)):
                found |= dict.fromkeys(self._groups_of(ingress, tell=ingress is event.object))
        else:
            for ingress in self.store.list("Ingress"):
                if kind != "Service" or _refers(ingress, event.object):
                    found |= dict.fromkeys(self._groups_of(ingress))
        return [Task(Part.BALANCER, group) for group in found]

    def reconcile(self, owner: GroupID) -> None:
        """Deploy a group, tell its members, and let go those that left."""
        try:
            group = groups.load_group(owner, self._known(), self.options)
        except BuildError as error:
            raise Retry(str(error)) from None
        members = [member.ingress for member in group.members]
        finalizer = groups.finalizer(owner)
        for ingress in members:
            self._add_finalizer(ingress, finalizer)
        try:
            with told_as_deploy_error(self.options.version):
                cluster = self._account.state(self.store.list("Service"), self.store.list("Secret"))
            stack = model.build_ingress_group(group, cluster, self.options)
        except (BuildError, DeployError) as error:
            raise self._failed(members, "FailedBuildModel", f"Failed build model due to {error}") from None
        self.log("info", f"successfully built model stackID={stack.id}")
        try:
            deployed = self._deployer.deploy(stack)
        except DeployError as error:
            raise self._failed(members, "FailedDeployModel", f"Failed deploy model due to {error}") from None
        self.log("info", f"successfully deployed model ingressGroup={owner}")
        self._finish(owner, stack, deployed, members)
        for ingress in group.inactive:
            self._remove_finalizer(ingress, finalizer)
        for ingress in members:
            self._say(ingress, "Normal", "SuccessfullyReconciled", "Successfully reconciled")

    def _finish(
        self, owner: GroupID, stack: Stack, deployed: Deployed, members: Iterable[KubernetesObject]
    ) -> None:
        self.bindings.bind(owner, stack, deployed.target_groups)
        self._register(owner)
        if deployed.dns_name:
            entries = status.of_ingress(deployed.dns_name, stack, self.options.version)
            for ingress in members:
                self._set_status(ingress, entries)

    def _failed(self, members: Iterable[KubernetesObject], reason: str, message: str) -> Retry:
        for ingress in members:
            self._say(ingress, "Warning", reason, message)
        return Retry(message)

    def _groups_of(self, ingress: KubernetesObject, *, tell: bool = False) -> Iterator[GroupID]:
        """The groups whose finalizers it carries, and the one that it belongs to now."""
        yield from groups.groups_pending_finalization(ingress)
        try:
            found = groups.find_group(ingress, self._known(with_ingresses=False), self.options)
        except BuildError as error:
            if tell and ingress["metadata"].get("uid"):
                self._say(ingress, "Warning", "FailedLoadGroupID", f"failed load groupID due to {error}")
            return
        if found:
            yield found[1]

    def _known(self, *, with_ingresses: bool = True) -> IngressObjects:
        kinds = ["IngressClass", "IngressClassParams", "Namespace"]
        if with_ingresses:
            kinds.append("Ingress")
        return IngressObjects.of(item for kind in kinds for item in self.store.list(kind))


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


def _refers(ingress: KubernetesObject, service: KubernetesObject) -> bool:
    """Whether a backend or an action annotation of the Ingress names the Service."""
    if objects.namespace(ingress) != objects.namespace(service):
        return False
    name = objects.name(service)
    spec = objects.spec(ingress)
    backends = [spec.get("defaultBackend") or {}]
    for rule in spec.get("rules") or ():
        backends += [path.get("backend") or {} for path in (rule.get("http") or {}).get("paths") or ()]
    if any((backend.get("service") or {}).get("name") == name for backend in backends):
        return True
    return any(f'"{name}"' in text for text in objects.annotations_of(ingress).values())


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """An object that was deleted meanwhile needs nothing more; its end comes as an event."""
    try:
        yield
    except NotFound:
        return
