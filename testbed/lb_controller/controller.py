"""The controllers: Services to NLBs, Ingress groups to ALBs.

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

import abc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from testbed.clock import Clock
from testbed.kubernetes import Change, ObjectStore, WatchEvent
from testbed.lb_controller import bindings, groups, in_tree, model, nlb, objects, ownership, status
from testbed.lb_controller.account import Account
from testbed.lb_controller.balancer_controller import BalancerController, Part, Task
from testbed.lb_controller.classes import IngressObjects
from testbed.lb_controller.deploy import DeployError, told_as_deploy_error
from testbed.lb_controller.inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    Group,
    GroupID,
    KubernetesObject,
    Subnet,
    Version,
)
from testbed.lb_controller.stack import Stack
from testbed.lb_controller.work import SERVICE_CONTROLLER, Log, Retry

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A Service by its name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class _ServiceBalancers(BalancerController[ServiceKey]):
    """A controller whose owners are Services."""

    kinds = ("Service", *bindings.WATCHED)

    def tasks_of(self, event: WatchEvent) -> Iterable[Task[ServiceKey]]:
        """A Service that changed in more than its status; otherwise targets."""
        if event.object["kind"] != "Service":
            return self.target_tasks(event)
        _, is_relevant = self.previous(event)
        if not is_relevant or event.type is Change.DELETED:
            return ()  # what a deleted Service needs was done while its finalizer held it
        key = ServiceKey(objects.namespace(event.object), objects.name(event.object))
        return (Task(Part.BALANCER, key),)

    def reconcile(self, owner: ServiceKey) -> None:
        """Look at a Service, if it is still there."""
        service = self.store.get("Service", owner.namespace, owner.name)
        if service is not None:
            self.reconcile_service(owner, service)

    @abc.abstractmethod
    def reconcile_service(self, key: ServiceKey, service: KubernetesObject) -> None:
        """Ensure the NLB of a Service, or take it away. Raises `Retry`."""


class ServiceController(_ServiceBalancers):
    """Kubernetes' own service controller with the AWS cloud provider of 2020.

    A Service keeps its NLB until it is deleted or leaves type LoadBalancer: taking an annotation away never
    deletes it.
    """

    component = "service-controller"
    backoff = SERVICE_CONTROLLER

    def __init__(
        self,
        store: ObjectStore,
        elbv2: ElasticLoadBalancingv2Client,
        subnets: tuple[Subnet, ...],
        options: ControllerOptions,
        clock: Clock,
        log: Log,
    ) -> None:
        # It is of 2020 whatever the LB controller's version: error texts of SDK v1, for example.
        super().__init__(store, elbv2, replace(options, version=Version.V2_1), clock, log)
        self._cluster = ClusterState(subnets=subnets)

    def reconcile_service(self, key: ServiceKey, service: KubernetesObject) -> None:
        """Ensure or delete; between the two, a Service that is not this provider's is left alone."""
        has_finalizer = in_tree.FINALIZER in objects.finalizers(service)
        if objects.is_being_deleted(service) or objects.spec(service).get("type") != "LoadBalancer":
            if has_finalizer:
                self._clean_up(key, service)
        elif in_tree.owns(service):
            self._ensure(key, service)
        elif has_finalizer:
            self.log("warning", f"service {key} no longer asks for its NLB, which stays until it is deleted")

    def _ensure(self, key: ServiceKey, service: KubernetesObject) -> None:
        self.say(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer")
        self.add_finalizer(service, in_tree.FINALIZER)
        if not self.store.list("Node"):
            nobody = "There are no available nodes for LoadBalancer"
            self.say(service, "Warning", "UnAvailableLoadBalancer", nobody)
        try:
            stack = in_tree.build(service, self._cluster, self.options)
            deployed = self.deploy(key, stack)
            self.register(key)  # the provider does it at once, before it tells the name
        except (BuildError, DeployError) as error:
            raise self._failed(service, f"failed to ensure load balancer: {error}") from None
        if deployed.dns_name:
            self.set_status(service, status.of_service(deployed.dns_name))
        self.say(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer")

    def _clean_up(self, key: ServiceKey, service: KubernetesObject) -> None:
        self.say(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer")
        try:
            self.deploy(key, in_tree.empty_stack(key.namespace, key.name, self.options))
        except DeployError as error:
            raise self._failed(service, f"failed to delete load balancer: {error}") from None
        self.set_status(service, [])
        self.say(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer")
        self.remove_finalizer(service, in_tree.FINALIZER)

    def _failed(self, service: KubernetesObject, what: str) -> Retry:
        return self.failed([service], "SyncLoadBalancerFailed", f"Error syncing load balancer: {what}")


class NlbServiceController(_ServiceBalancers):
    """The AWS Load Balancer Controller's part that makes NLBs of the Services which it owns."""

    component = "service"

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
        self._account = Account(elbv2, acm, options.cluster_name, subnets)

    def reconcile_service(self, key: ServiceKey, service: KubernetesObject) -> None:
        """Ensure while it is the controller's, clean up once it is not; `build_service` decides."""
        is_ours = ownership.is_supported(service, self.options)
        if not is_ours and not ownership.is_pending_finalization(service):
            return
        stack = self._build(service)
        if stack.load_balancer is not None:
            self.add_finalizer(service, ownership.FINALIZER)
        try:
            deployed = self.deploy(key, stack)
            self.again(Task(Part.TARGETS, key), 0)  # the bindings have a controller of their own
        except DeployError as error:
            message = f"Failed deploy model due to {error}"
            raise self.failed([service], "FailedDeployModel", message) from None
        if deployed.dns_name is None:
            self.set_status(service, [])
            self.remove_finalizer(service, ownership.FINALIZER)
            return
        self.set_status(service, status.of_service(deployed.dns_name))
        self.say(service, "Normal", "SuccessfullyReconciled", "Successfully reconciled")

    def _build(self, service: KubernetesObject) -> Stack:
        try:
            with told_as_deploy_error(self.options.version):
                cluster = self._account.state(self.store.list("Service"))
            return nlb.build_service(service, cluster, self.options)
        except (BuildError, DeployError) as error:
            message = f"Failed build model due to {error}"
            raise self.failed([service], "FailedBuildModel", message) from None


class IngressGroupController(BalancerController[GroupID]):
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
        self._account = Account(elbv2, acm, options.cluster_name, subnets)

    def tasks_of(self, event: WatchEvent) -> Iterable[Task[GroupID]]:
        """Every group that an event may concern, the one that was left and the one that was joined."""
        kind = event.object["kind"]
        if kind in bindings.WATCHED:
            return self.target_tasks(event)
        before, is_relevant = self.previous(event)
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
            self.add_finalizer(ingress, finalizer)
        stack = self._build(group, members)
        self.log("info", f"successfully built model stackID={stack.id}")
        try:
            deployed = self.deploy(owner, stack)
            self.again(Task(Part.TARGETS, owner), 0)  # the bindings have a controller of their own
        except DeployError as error:
            message = f"Failed deploy model due to {error}"
            raise self.failed(members, "FailedDeployModel", message) from None
        self.log("info", f"successfully deployed model ingressGroup={owner}")
        for ingress in members:
            if deployed.dns_name:
                entries = status.of_ingress(deployed.dns_name, stack, self.options.version)
                self.set_status(ingress, entries)
        for ingress in group.inactive:
            self.remove_finalizer(ingress, finalizer)
        for ingress in members:
            self.say(ingress, "Normal", "SuccessfullyReconciled", "Successfully reconciled")

    def _build(self, group: Group, members: Iterable[KubernetesObject]) -> Stack:
        try:
            with told_as_deploy_error(self.options.version):
                cluster = self._account.state(self.store.list("Service"), self.store.list("Secret"))
            return model.build_ingress_group(group, cluster, self.options)
        except (BuildError, DeployError) as error:
            message = f"Failed build model due to {error}"
            raise self.failed(members, "FailedBuildModel", message) from None

    def _groups_of(self, ingress: KubernetesObject, *, tell: bool = False) -> Iterator[GroupID]:
        """The groups whose finalizers it carries, and the one that it belongs to now."""
        yield from groups.groups_pending_finalization(ingress)
        try:
            found = groups.find_group(ingress, self._known(with_ingresses=False), self.options)
        except BuildError as error:
            if tell and ingress["metadata"].get("uid"):
                self.say(ingress, "Warning", "FailedLoadGroupID", f"failed load groupID due to {error}")
            return
        if found:
            yield found[1]

    def _known(self, *, with_ingresses: bool = True) -> IngressObjects:
        kinds = ["IngressClass", "IngressClassParams", "Namespace"]
        if with_ingresses:
            kinds.append("Ingress")
        return IngressObjects.of(item for kind in kinds for item in self.store.list(kind))


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
