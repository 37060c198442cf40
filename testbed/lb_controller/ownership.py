"""Which Services this controller takes from the cloud provider (pkg/service/service_utils.go).

```
spec.loadBalancerClass: service.k8s.aws/nlb          ours; any other class: not, whatever the annotations say
aws-load-balancer-type: nlb-ip                       ours
aws-load-balancer-type: external
  + aws-load-balancer-nlb-target-type: ip|instance   ours, since v2.2
aws-load-balancer-type: nlb, or nothing              the in-tree provider's, see `in_tree`
```
"""

from __future__ import annotations

from testbed.lb_controller import objects
from testbed.lb_controller.annotations import of_service
from testbed.lb_controller.inputs import ControllerOptions, KubernetesObject, Version

FINALIZER = "service.k8s.aws/resources"
ONLY_LOAD_BALANCERS_GATE = "ServiceTypeLoadBalancerOnly"
NLB_IP = "nlb-ip"
EXTERNAL = "external"


def is_supported(service: KubernetesObject, options: ControllerOptions) -> bool:
    """Whether the controller keeps an NLB for the Service."""
    if objects.is_being_deleted(service):
        return False
    spec = objects.spec(service)
    only_load_balancers = options.feature_gates.get(ONLY_LOAD_BALANCERS_GATE, False)
    if only_load_balancers and spec.get("type") != "LoadBalancer":
        return False
    if spec.get("loadBalancerClass") is not None and options.version is not Version.V2_1:
        return bool(spec["loadBalancerClass"] == options.load_balancer_class)
    annotations = of_service(service)
    kind = annotations.text("aws-load-balancer-type")
    if kind == NLB_IP:
        return True
    if options.version is Version.V2_1 or kind != EXTERNAL:
        return False
    return annotations.text("aws-load-balancer-nlb-target-type") in ("ip", "instance")


def is_pending_finalization(service: KubernetesObject) -> bool:
    """Whether it carries the controller's finalizer, so that something of it may stand in AWS."""
    return FINALIZER in objects.finalizers(service)
