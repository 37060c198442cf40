"""The time that the model of a large Ingress group takes, for `make bench`."""

from __future__ import annotations

import time
from typing import Any

from testbed.lb_controller.core.build_inputs import ClusterState, ControllerOptions, GroupID, Subnet
from testbed.lb_controller.ingress.alb_stack import build_ingress_group
from testbed.lb_controller.ingress.groups import load_group
from testbed.lb_controller.ingress.ingress_classes import IngressObjects

MEMBERS = 1_000
_GROUP = "large"


def seconds_to_model(members: int = MEMBERS) -> float:
    """Wall seconds from the cluster's objects to the stack of one group with `members` Ingresses.

    Each Ingress has a host, two paths and a Service of its own; odd ones are gRPC.
    """
    ingresses = [_ingress(number) for number in range(members)]
    services = {("default", f"service-{number}"): _service(number) for number in range(members)}
    cluster = ClusterState(services=services, subnets=(Subnet(id="subnet-a"), Subnet(id="subnet-c")))
    options = ControllerOptions()
    started = time.perf_counter()
    group = load_group(GroupID("", _GROUP), IngressObjects.of(ingresses), options)
    build_ingress_group(group, cluster, options)
    return time.perf_counter() - started


def _ingress(number: int) -> dict[str, Any]:
    backend = {"service": {"name": f"service-{number}", "port": {"number": 80}}}
    paths = [
        {"path": f"/{kind}-{number}", "pathType": kind, "backend": backend} for kind in ("Prefix", "Exact")
    ]
    return {
        "kind": "Ingress",
        "metadata": {
            "namespace": "default",
            "name": f"ingress-{number}",
            "annotations": {
                "kubernetes.io/ingress.class": "alb",
                "alb.ingress.kubernetes.io/group.name": _GROUP,
                "alb.ingress.kubernetes.io/target-type": "ip",
                "alb.ingress.kubernetes.io/certificate-arn": "arn:aws:acm:eu-west-1:0:certificate/one",
                "alb.ingress.kubernetes.io/backend-protocol-version": "GRPC" if number % 2 else "HTTP1",
            },
        },
        "spec": {"rules": [{"host": f"host-{number}.example.com", "http": {"paths": paths}}]},
    }


def _service(number: int) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"namespace": "default", "name": f"service-{number}", "uid": f"uid-{number}"},
        "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]},
    }
