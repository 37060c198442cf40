"""Small Kubernetes objects and groups for the tests of the model."""

from __future__ import annotations

from typing import Any

from testbed.lb_controller.core.annotations import INGRESS_PREFIX, SERVICE_PREFIX
from testbed.lb_controller.core.build_inputs import ClusterState, Group, GroupID, Member, Subnet

Json = dict[str, Any]
SUBNETS = (
    Subnet(id="subnet-a", availability_zone="a", cidr="10.0.0.0/24"),
    Subnet(id="subnet-c", availability_zone="c", cidr="10.0.1.0/24"),
)


def path(text: str, service: str = "web", port: int | str = 80, kind: str | None = None) -> Json:
    number = {"number": port} if isinstance(port, int) else {"name": port}
    found: Json = {"path": text, "backend": {"service": {"name": service, "port": number}}}
    return {**found, "pathType": kind} if kind else found


def ingress(
    name: str, *paths: Json, host: str | None = None, spec: Json | None = None, **annotations: str
) -> Json:
    """An Ingress of class alb; `target_type="ip"` becomes `alb.ingress.kubernetes.io/target-type: ip`."""
    rule = {"http": {"paths": list(paths)}, **({"host": host} if host else {})}
    named = {f"{INGRESS_PREFIX}/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "namespace": "default",
            "name": name,
            "annotations": {"kubernetes.io/ingress.class": "alb", **named},
        },
        "spec": {"rules": [rule] if paths else [], **(spec or {})},
    }


def service(
    name: str = "web", *, kind: str = "ClusterIP", spec: Json | None = None, **annotations: str
) -> Json:
    """A Service with port http, 80 to 8080; annotations of `aws-load-balancer-` by their last part."""
    port: Json = {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}
    if kind != "ClusterIP":
        port["nodePort"] = 30080
    prefix = f"{SERVICE_PREFIX}/aws-load-balancer-"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "namespace": "default",
            "name": name,
            "uid": f"uid-{name}",
            "annotations": {prefix + key.replace("_", "-"): value for key, value in annotations.items()},
        },
        "spec": {"type": kind, "ports": [port], **(spec or {})},
    }


def group(*ingresses: Json, name: str = "app") -> Group:
    return Group(id=GroupID("", name), members=tuple(Member(ingress=item) for item in ingresses))


def cluster(*services: Json, **further: Any) -> ClusterState:
    named = {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in services}
    return ClusterState(services=named, subnets=SUBNETS, **further)
