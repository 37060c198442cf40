"""The part of the AWS Load Balancer Controller that makes NLBs: Services to NLBs.

Source: controllers/service/service_controller.go of the AWS Load Balancer Controller.
"""

from __future__ import annotations

from collections.abc import Iterator

from testbed.lb_controller.controllers import load_balancer_status
from testbed.lb_controller.controllers.service_balancers import ServiceBalancers, ServiceKey
from testbed.lb_controller.core.build_inputs import KubernetesObject
from testbed.lb_controller.core.stack import Stack
from testbed.lb_controller.service import nlb_stack, service_ownership


class NlbServiceController(ServiceBalancers):
    """Makes an NLB of each Service that the AWS Load Balancer Controller owns."""

    component = "service"

    def reconcile_service(self, key: ServiceKey, service: KubernetesObject) -> Iterator[None]:
        """Ensure the NLB while the controller owns the Service, else delete it; `build_service` decides."""
        is_ours = service_ownership.is_supported(service, self.options)
        if not is_ours and not service_ownership.is_pending_finalization(service):
            return
        stack = self.modelled([service], lambda: self._build(service))
        if stack.load_balancer is not None:
            self.add_finalizer(service, service_ownership.FINALIZER)
        yield
        deployed = self.deployed(key, [service], stack)
        if deployed.dns_name is None:
            self.set_status(service, [])
            self.remove_finalizer(service, service_ownership.FINALIZER)
            return
        self.set_status(service, load_balancer_status.of_service(deployed.dns_name))
        self.say(service, "Normal", "SuccessfullyReconciled", "Successfully reconciled")

    def _build(self, service: KubernetesObject) -> Stack:
        cluster = self.account.state(self.store.list("Service"))
        return nlb_stack.build_service(service, cluster, self.options)
