"""The Services that this controller handles instead of the cloud provider (pkg/service/service_utils.go).

```
spec.loadBalancerClass: service.k8s.aws/nlb          ours; any other class: not, whatever the annotations say
aws-load-balancer-type: nlb-ip                       ours
aws-load-balancer-type: external
  + aws-load-balancer-nlb-target-type: ip|instance   ours, since v2.2
aws-load-balancer-type: nlb, or nothing              the cloud provider's, see `in_tree_nlb`
```
"""

from __future__ import annotations

from testbed.kubernetes import object_fields
from testbed.lb_controller.core.annotations import of_service
from testbed.lb_controller.core.build_inputs import ControllerOptions, KubernetesObject
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.feature_gates import Gate, is_on

FINALIZER = "service.k8s.aws/resources"
NLB_IP = "nlb-ip"
EXTERNAL = "external"


def is_supported(service: KubernetesObject, options: ControllerOptions) -> bool:
    """True if the controller keeps an NLB for the Service."""
    if object_fields.is_being_deleted(service):
        return False
    spec = object_fields.spec(service)
    if not is_on(Gate.ENABLE_SERVICE_CONTROLLER, options, before=True):
        return False
    only_load_balancers = is_on(Gate.SERVICE_TYPE_LOAD_BALANCER_ONLY, options)
    if only_load_balancers and spec.get("type") != "LoadBalancer":
        return False
    if spec.get("loadBalancerClass") is not None and options.release.has(Fact.LOAD_BALANCER_CLASS):
        return bool(spec["loadBalancerClass"] == options.load_balancer_class)
    annotations = of_service(service)
    kind = annotations.text("aws-load-balancer-type")
    if kind == NLB_IP:
        return True
    if kind != EXTERNAL or not options.release.has(Fact.TYPE_EXTERNAL):
        return False
    return annotations.text("aws-load-balancer-nlb-target-type") in ("ip", "instance")


def is_pending_finalization(service: KubernetesObject) -> bool:
    """True if the Service carries the controller's finalizer, so resources of it may exist in AWS."""
    return FINALIZER in object_fields.finalizers(service)
