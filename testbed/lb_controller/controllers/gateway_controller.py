"""The part of the AWS Load Balancer Controller that makes the ALB or NLB of each Gateway.

```
Gateway ─┐                 statuses of routes ─► model ─► finalizer ─► deploy ─► targets ─► status
route   ─┤ events ─► task ─┤                       │ BuildError           │      address at once, Programmed
Class,  ─┤                 │     FailedBuildModel ◄┘                      │      when the balancer is active
config  ─┘                 └─ Accepted=False, AWS stays ◄─ FailedDeployModel
Endpoints, Node, Pod ─► targets only
```

The real controller has a loop for ALBs and one for NLBs; here one handles both, since no Gateway is of both.
Source: controllers/gateway/gateway_controller.go and gateway_class_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from testbed.kubernetes import Change, NotFound, WatchEvent, object_fields
from testbed.kubernetes.kinds import ROUTE_KINDS
from testbed.lb_controller.controllers import target_group_bindings
from testbed.lb_controller.controllers.balancer_controller import (
    BalancerController,
    Part,
    Task,
    changes_ports,
    is_relevant,
)
from testbed.lb_controller.controllers.work_queue import Controller, Retry
from testbed.lb_controller.core.build_inputs import ClusterState, KubernetesObject
from testbed.lb_controller.core.feature_gates import Gate, is_on
from testbed.lb_controller.deploy.deploy_session import DeployError, as_deploy_error
from testbed.lb_controller.gateway import gateway_stack, gateway_status, route_attachment
from testbed.lb_controller.gateway.gateway_objects import GatewayObjects, Key, key_of
from testbed.lb_controller.gateway.gateway_settings import APPLICATION, NETWORK
from testbed.lb_controller.gateway.route_status import parent_statuses

LOOK_AGAIN = 120.0
"""Production seconds until a balancer that provisions is looked at again (`statusUpdateRequeueTime`)."""
_OF_ALL = (
    *("GatewayClass", "LoadBalancerConfiguration", "TargetGroupConfiguration", "ListenerRuleConfiguration"),
    *("ReferenceGrant", "Namespace"),
)
"""Kinds whose changes may concern every Gateway."""
_READ = ("Gateway", *ROUTE_KINDS, *_OF_ALL)


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """The namespace and name of a Gateway."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class GatewayClassController(Controller[str]):
    """Accepts the GatewayClasses of the AWS Load Balancer Controller."""

    kinds = ("GatewayClass", "LoadBalancerConfiguration")

    def tasks_of(self, event: WatchEvent) -> Iterable[str]:
        """Look at a class that changed, and at all of them if a configuration did."""
        if event.object["kind"] == "GatewayClass":
            return [object_fields.name(event.object)]
        return [object_fields.name(one) for one in self.store.list("GatewayClass")]

    def attempt(self, task: str) -> None:
        """Write the condition Accepted of a class."""
        item = self.store.get("GatewayClass", None, task)
        if item is None or object_fields.spec(item).get("controllerName") not in gateway_stack.CONTROLLERS:
            return
        reference = object_fields.spec(item).get("parametersRef") or {}
        namespace, name = str(reference.get("namespace") or ""), str(reference.get("name") or "")
        is_missing = name and self.store.get("LoadBalancerConfiguration", namespace, name) is None
        missing = f"{namespace}/{name}" if is_missing else ""
        status = gateway_status.accepted_class(item, self.clock.rfc3339(), missing)
        with suppress(NotFound):  # deleted meanwhile
            self.store.update_status("GatewayClass", None, task, status)


class GatewayController(BalancerController[GatewayKey]):
    """Makes one ALB or NLB of each Gateway that the release and its feature gates serve."""

    kinds = (*_READ, "Service", *target_group_bindings.WATCHED)
    component = "gateway"

    def tasks_of(self, event: WatchEvent) -> Iterable[Task[GatewayKey]]:
        """Reconcile every Gateway that an event may concern: those before and after the change."""
        kind, item = event.object["kind"], event.object
        if kind in target_group_bindings.WATCHED:
            return self.target_tasks(event)
        # The status of a class decides: its Gateways wait until it is accepted.
        if kind != "GatewayClass" and not is_relevant(event):
            return ()
        if kind == "Gateway":
            return () if event.type is Change.DELETED else [self._task(item)]
        versions = [one for one in (event.previous, item) if one]
        gateways = self.store.list("Gateway")
        if kind in ROUTE_KINDS:
            gateways = [
                one for one in gateways if any(route_attachment.parents(route, one) for route in versions)
            ]
        elif kind == "Service":
            routes = [one for one in self._routes() if _leads_to(one, item)]
            gateways = [
                one for one in gateways if any(route_attachment.parents(route, one) for route in routes)
            ]
        bindings = self.target_tasks(event) if changes_ports(event) else []
        return [*bindings, *(self._task(one) for one in gateways)]

    def reconcile(self, owner: GatewayKey) -> Iterator[None]:
        """Deploy a Gateway and write its status and that of its routes; or delete what it has."""
        gateway = self.store.get("Gateway", owner.namespace, owner.name)
        if gateway is None:
            return
        objects = self._objects()
        kind = gateway_stack.balancer_type(gateway, objects)
        if kind is None:
            return
        if why := gateway_stack.why_not_served(kind, self.options):
            self.leaves_out(owner, [f"no load balancer is made of it: {why}"])
            return
        if object_fields.is_being_deleted(gateway):
            yield from self._delete(owner, gateway, kind)
            return
        if not gateway_status.is_accepted(objects.classes.get(_class_of(gateway))):
            why = gateway_status.class_not_accepted(gateway)
            self._write(gateway, gateway_status.refused(gateway, self.clock.rfc3339(), why))
            raise Retry(why)
        with self._asking_aws():
            cluster = self.account.state(self.store.list("Service"), self.store.list("Secret"))
        self._write_routes(gateway, objects, cluster)
        try:
            stack = self.modelled(
                [gateway], lambda: gateway_stack.build(gateway, objects, cluster, self.options)
            )
            self.log("info", f"successfully built model stackID={stack.id}")
            yield
            self.add_finalizer(gateway, _finalizer(kind))
            found = self.deployed(owner, [gateway], stack)
        except Retry:
            self._write(gateway, gateway_status.refused(gateway, self.clock.rfc3339()))
            raise
        self.log("info", f"successfully deployed model gateway={owner}")
        if found.dns_name:
            self._write_deployed(owner, gateway, objects, found.dns_name)

    def owner_title(self, owner: GatewayKey) -> str:
        """The Gateway as plans name it."""
        return f"Gateway {owner}"

    def _delete(self, owner: GatewayKey, gateway: KubernetesObject, kind: str) -> Iterator[None]:
        finalizer = _finalizer(kind)
        if finalizer not in object_fields.finalizers(gateway):
            return
        yield
        self.deployed(owner, [gateway], gateway_stack.empty(gateway, kind, self.options))
        self.remove_finalizer(gateway, finalizer)

    def _write_deployed(
        self, owner: GatewayKey, gateway: KubernetesObject, objects: GatewayObjects, dns_name: str
    ) -> None:
        with self._asking_aws():
            arn, state = self._balancer(dns_name)
        is_active = state == "active"
        attached = {name: len(routes) for name, routes in route_attachment.attached(gateway, objects).items()}
        # As it is now: the finalizer was added, and a refusal before may have changed its conditions.
        current = self.store.get("Gateway", owner.namespace, owner.name)
        if current is None:
            return
        status = gateway_status.deployed(
            current,
            dns_name,
            arn,
            is_active=is_active,
            attached=attached,
            counts_listener_sets=is_on(Gate.GATEWAY_LISTENER_SET, self.options),
            now=self.clock.rfc3339(),
        )
        self._write(current, status)
        if is_active:
            self.say(gateway, "Normal", "SuccessfullyReconciled", "Successfully reconciled")
        else:
            self.again(self._task(gateway), LOOK_AGAIN)

    @contextmanager
    def _asking_aws(self) -> Iterator[None]:
        """Try again what AWS refused while it was read."""
        try:
            with as_deploy_error(self.options.release):
                yield
        except DeployError as error:
            raise Retry(str(error)) from None

    def _balancer(self, dns_name: str) -> tuple[str, str]:
        """The ARN and the state of a load balancer; empty if it has gone meanwhile."""
        for page in self.account.elbv2.get_paginator("describe_load_balancers").paginate():
            for one in page["LoadBalancers"]:
                if one["DNSName"] == dns_name:
                    return one["LoadBalancerArn"], one["State"]["Code"]
        return "", ""

    def _write_routes(
        self, gateway: KubernetesObject, objects: GatewayObjects, cluster: ClusterState
    ) -> None:
        served = self._served(objects)
        for route in objects.routes:
            if route_attachment.parents(route, gateway) or _names(route, gateway):
                parents = parent_statuses(route, served, cluster)
                self._write(route, gateway_status.route_parents(route, parents, self.clock.rfc3339()))

    def _served(self, objects: GatewayObjects) -> GatewayObjects:
        """The objects without the Gateways that the release and its gates do not serve."""
        served = {
            kind for kind in (APPLICATION, NETWORK) if not gateway_stack.why_not_served(kind, self.options)
        }
        gateways = [one for one in objects.gateways if gateway_stack.balancer_type(one, objects) in served]
        return replace(objects, gateways=tuple(gateways))

    def _write(self, item: KubernetesObject, status: Mapping[str, Any]) -> None:
        with suppress(NotFound):  # deleted meanwhile: an event reports it
            self.store.update_status(item["kind"], *key_of(item), status)

    def _objects(self) -> GatewayObjects:
        return GatewayObjects.of(item for kind in _READ for item in self.store.list(kind))

    def _routes(self) -> Iterator[KubernetesObject]:
        for kind in ROUTE_KINDS:
            yield from self.store.list(kind)

    def _task(self, gateway: KubernetesObject) -> Task[GatewayKey]:
        return Task(Part.BALANCER, GatewayKey(*key_of(gateway)))


def _class_of(gateway: KubernetesObject) -> str:
    return str(object_fields.spec(gateway).get("gatewayClassName"))


def _finalizer(kind: str) -> str:
    return f"gateway.k8s.aws/{'alb' if kind == APPLICATION else 'nlb'}"


def _names(route: KubernetesObject, gateway: KubernetesObject) -> bool:
    """True if the status of a route names a Gateway, as after its reference was taken away."""
    for entry in (route.get("status") or {}).get("parents") or ():
        parent = entry.get("parentRef") or {}
        key: Key = parent.get("namespace") or object_fields.namespace(route), str(parent.get("name"))
        if key == key_of(gateway):
            return True
    return False


def _leads_to(route: KubernetesObject, service: KubernetesObject) -> bool:
    return any(
        (backend.get("namespace") or object_fields.namespace(route), backend.get("name")) == key_of(service)
        for rule in object_fields.spec(route).get("rules") or ()
        for backend in rule.get("backendRefs") or ()
    )
