"""Kubernetes' own service controller with the AWS cloud provider of 2020: Services to NLBs.

Source: k8s.io/cloud-provider/controllers/service of 1.19.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.kubernetes import WatchEvent, object_fields
from testbed.lb_controller.controllers import load_balancer_status
from testbed.lb_controller.controllers.balancer_controller import Part, Task
from testbed.lb_controller.controllers.service_balancers import ServiceBalancers, ServiceKey
from testbed.lb_controller.controllers.work_queue import SERVICE_CONTROLLER, Retry
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    KubernetesObject,
)
from testbed.lb_controller.deploy.deploy_session import DeployError
from testbed.lb_controller.service import in_tree_nlb


class InTreeServiceController(ServiceBalancers):
    """Kubernetes' own service controller with the AWS cloud provider of 2020.

    A Service keeps its NLB until it is deleted or leaves type LoadBalancer: removing an annotation never
    deletes it.
    """

    component = "service-controller"
    backoff = SERVICE_CONTROLLER
    # The provider is of 2020 whatever the release of the LB controller: it words errors as SDK v1 does.
    release = LB_CONTROLLER_RELEASES.oldest

    def tasks_of(self, event: WatchEvent) -> Iterable[Task[ServiceKey]]:
        """As of any Service, but the provider registers targets with the balancer alone, not beside it."""
        tasks = super().tasks_of(event)
        if event.object["kind"] != "Service":
            return tasks
        return [task for task in tasks if task.part is Part.BALANCER]

    def reconcile_service(self, key: ServiceKey, service: KubernetesObject) -> Iterator[None]:
        """Ensure or delete the NLB; leave a Service alone that the provider does not handle."""
        yield from ()
        has_finalizer = in_tree_nlb.FINALIZER in object_fields.finalizers(service)
        if (
            object_fields.is_being_deleted(service)
            or object_fields.spec(service).get("type") != "LoadBalancer"
        ):
            if has_finalizer:
                self._clean_up(key, service)
        elif in_tree_nlb.owns(service):
            self._ensure(key, service)
        elif has_finalizer:
            self.log("warning", f"service {key} no longer asks for its NLB, which stays until it is deleted")

    def _ensure(self, key: ServiceKey, service: KubernetesObject) -> None:
        self.say(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer")
        self.add_finalizer(service, in_tree_nlb.FINALIZER)
        if not self.store.list("Node"):
            message = "There are no available nodes for LoadBalancer"
            self.say(service, "Warning", "UnAvailableLoadBalancer", message)
        try:
            stack = in_tree_nlb.build(service, ClusterState(subnets=self.account.subnets), self.options)
            deployed = self.deploy(key, stack)
            self.register(key)  # the provider registers at once, before it writes the status
        except (BuildError, DeployError) as error:
            raise self._failed(service, f"failed to ensure load balancer: {error}") from None
        if deployed.dns_name:
            self.set_status(service, load_balancer_status.of_service(deployed.dns_name))
        self.say(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer")

    def _clean_up(self, key: ServiceKey, service: KubernetesObject) -> None:
        self.say(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer")
        try:
            self.deploy(key, in_tree_nlb.empty_stack(key.namespace, key.name, self.options))
        except DeployError as error:
            raise self._failed(service, f"failed to delete load balancer: {error}") from None
        self.set_status(service, [])
        self.say(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer")
        self.remove_finalizer(service, in_tree_nlb.FINALIZER)

    def _failed(self, service: KubernetesObject, what: str) -> Retry:
        return self.failed([service], "SyncLoadBalancerFailed", f"Error syncing load balancer: {what}")
