"""The part of the AWS Load Balancer Controller that makes ALBs: Ingress groups to ALBs.

```
Ingress ──┐                 finalizers on ─► model ─► deploy ─► targets ─► status ─► finalizers off
Service ──┤ events ─► task ─┤ (BuildError)     │        │                            of those that left
Class   ──┘                 FailedBuildModel ◄─┘        └─► FailedDeployModel; AWS and status stay
Endpoints, Node, Pod ─► targets only
```

An error in one member stops its whole group, and the existing load balancer goes on serving. Source:
controllers/ingress/group_controller.go of the AWS Load Balancer Controller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from testbed.kubernetes import Change, WatchEvent, object_fields
from testbed.lb_controller.controllers import load_balancer_status, target_group_bindings
from testbed.lb_controller.controllers.balancer_controller import (
    BalancerController,
    Part,
    Task,
    changes_ports,
    is_relevant,
)
from testbed.lb_controller.controllers.work_queue import Retry
from testbed.lb_controller.core import class_params
from testbed.lb_controller.core.build_inputs import BuildError, Group, GroupID, KubernetesObject
from testbed.lb_controller.core.stack import Stack
from testbed.lb_controller.ingress import alb_stack, groups
from testbed.lb_controller.ingress.ingress_classes import IngressObjects


class IngressGroupController(BalancerController[GroupID]):
    """Makes one ALB of each Ingress group."""

    kinds = (
        "Ingress",
        "Service",
        "IngressClass",
        "IngressClassParams",
        "Namespace",
        *target_group_bindings.WATCHED,
    )
    component = "ingress"

    def tasks_of(self, event: WatchEvent) -> Iterable[Task[GroupID]]:
        """Reconcile every group that an event may concern: the groups before and after the change."""
        kind = event.object["kind"]
        if kind in target_group_bindings.WATCHED:
            return self.target_tasks(event)
        if not is_relevant(event) or (kind == "Ingress" and event.type is Change.DELETED):
            return ()  # a deleted Ingress was cleaned up while its finalizer held it
        found: dict[GroupID, None] = {}
        if kind == "Ingress":
            for ingress in filter(None, (event.previous, event.object)):
                found |= dict.fromkeys(self._groups_of(ingress, reports=ingress is event.object))
        else:
            for ingress in self.store.list("Ingress"):
                if kind != "Service" or _refers(ingress, event.object):
                    found |= dict.fromkeys(self._groups_of(ingress))
        bindings = self.target_tasks(event) if changes_ports(event) else []
        return [*bindings, *(Task(Part.BALANCER, group) for group in found)]

    def reconcile(self, owner: GroupID) -> Iterator[None]:
        """Deploy a group, write the status of its members, and release those that left."""
        known = self._known()
        try:
            group = groups.load_group(owner, known, self.options)
        except BuildError as error:
            raise Retry(str(error)) from None
        members = [member.ingress for member in group.members]
        finalizer = groups.finalizer(owner)
        for ingress in members:
            self.add_finalizer(ingress, finalizer)
        release = self.options.release
        for member in group.members:
            fields = class_params.ignored_of(member.ingress_class, known.class_params, release)
            self.leaves_out(owner, (f"not read by {release}: {field}" for field in fields))
        stack = self.modelled(members, lambda: self._build(group))
        self.log("info", f"successfully built model stackID={stack.id}")
        yield
        deployed = self.deployed(owner, members, stack, group.inactive)
        self.log("info", f"successfully deployed model ingressGroup={owner}")
        for ingress in members:
            if deployed.dns_name:
                entries = load_balancer_status.of_ingress(deployed.dns_name, stack, self.options.release)
                self.set_status(ingress, entries)
        for ingress in group.inactive:
            self.remove_finalizer(ingress, finalizer)
        for ingress in members:
            self.say(ingress, "Normal", "SuccessfullyReconciled", "Successfully reconciled")

    def owner_title(self, owner: GroupID) -> str:
        """The group as plans name it."""
        return f"Ingress group {owner}"

    def _build(self, group: Group) -> Stack:
        cluster = self.account.state(self.store.list("Service"), self.store.list("Secret"))
        return alb_stack.build_ingress_group(group, cluster, self.options)

    def _groups_of(self, ingress: KubernetesObject, *, reports: bool = False) -> Iterator[GroupID]:
        """Yield the groups whose finalizers an Ingress carries, and the group that it belongs to now."""
        yield from groups.groups_pending_finalization(ingress)
        try:
            found = groups.find_group(ingress, self._known(with_ingresses=False), self.options)
        except BuildError as error:
            if reports and ingress["metadata"].get("uid"):
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
    """True if a backend or an action annotation of the Ingress names the Service."""
    if object_fields.namespace(ingress) != object_fields.namespace(service):
        return False
    name = object_fields.name(service)
    spec = object_fields.spec(ingress)
    backends = [spec.get("defaultBackend") or {}]
    for rule in spec.get("rules") or ():
        backends += [path.get("backend") or {} for path in (rule.get("http") or {}).get("paths") or ()]
    if any((backend.get("service") or {}).get("name") == name for backend in backends):
        return True
    return any(f'"{name}"' in text for text in object_fields.annotations_of(ingress).values())
