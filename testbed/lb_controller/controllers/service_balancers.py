"""The base of both controllers of Services: each Service owns one stack."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from testbed.kubernetes import Change, WatchEvent, object_fields
from testbed.lb_controller.controllers import target_group_bindings
from testbed.lb_controller.controllers.balancer_controller import (
    BalancerController,
    Part,
    Task,
    changes_ports,
    is_relevant,
)
from testbed.lb_controller.core.build_inputs import KubernetesObject


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """The namespace and name of a Service."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class ServiceBalancers(BalancerController[ServiceKey]):
    """A controller whose owners are Services."""

    kinds = ("Service", *target_group_bindings.WATCHED)

    def tasks_of(self, event: WatchEvent) -> Iterable[Task[ServiceKey]]:
        """Reconcile a Service that changed in more than its status; for other kinds, the targets alone."""
        if event.object["kind"] != "Service":
            return self.target_tasks(event)
        if not is_relevant(event) or event.type is Change.DELETED:
            return ()  # a deleted Service was cleaned up while its finalizer held it, and has no bindings
        key = ServiceKey(object_fields.namespace(event.object), object_fields.name(event.object))
        bindings = self.target_tasks(event) if changes_ports(event) else []
        return [*bindings, Task(Part.BALANCER, key)]

    def reconcile(self, owner: ServiceKey) -> Iterator[None]:
        """Reconcile a Service, if it still exists."""
        service = self.store.get("Service", owner.namespace, owner.name)
        if service is not None:
            yield from self.reconcile_service(owner, service)

    @abc.abstractmethod
    def reconcile_service(self, key: ServiceKey, service: KubernetesObject) -> Iterator[None]:
        """Ensure the NLB of a Service, or delete it; yield once its model is built. Raises `Retry`."""
