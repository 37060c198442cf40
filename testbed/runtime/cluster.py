"""What stands in the cluster before any manifest: two nodes in two zones, the Envoy pods on them, a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testbed.network import Network
from testbed.runtime.setup import Setup
from testbed.settings import REGION

PODS = 2
ZONES = (f"{REGION}a", f"{REGION}c")
INGRESS_CLASS: Mapping[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "alb"},
    "spec": {"controller": "ingress.k8s.aws/alb"},
}
"""What the Helm chart of the AWS Load Balancer Controller installs by default."""
_ROOM = {"cpu": "2", "memory": "4Gi", "pods": "29"}


def objects(network: Network, setup: Setup) -> list[dict[str, Any]]:
    """The objects, in an order in which the Kubernetes API takes them."""
    return [
        *(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            for name in dict.fromkeys(("default", setup.namespace))
        ),
        *(_node(network, index) for index in range(PODS)),
        *(_pod(network, setup, index) for index in range(PODS)),
        dict(INGRESS_CLASS),
    ]


def pod_name(index: int) -> str:
    """The name of a target Envoy pod, from 0."""
    return f"envoy-{index}"


def instance_id(index: int) -> str:
    """The EC2 instance that a node is."""
    return f"i-{index:017x}"


def _node(network: Network, index: int) -> dict[str, Any]:
    zone = ZONES[index % len(ZONES)]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": f"node-{index}",
            "labels": {"topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": REGION},
        },
        "spec": {"providerID": f"aws:///{zone}/{instance_id(index)}"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": network.node(index)}],
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "KubeletReady",
                    "message": "kubelet is posting ready status",
                }
            ],
            "capacity": dict(_ROOM),
            "allocatable": dict(_ROOM),
            "nodeInfo": {
                "kubeletVersion": "v1.33.0",
                "osImage": "a process of this machine",
                "operatingSystem": "linux",
                "architecture": "amd64",
                "containerRuntimeVersion": "none",
            },
        },
    }


def _pod(network: Network, setup: Setup, index: int) -> dict[str, Any]:
    address = network.envoy_pod(index)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": pod_name(index), "namespace": setup.namespace, "labels": dict(setup.pod_labels)},
        "spec": {
            "nodeName": f"node-{index}",
            "containers": [
                {
                    "name": "envoy",
                    "image": "envoyproxy/envoy",
                    "ports": [
                        {"name": name, "containerPort": port, "protocol": "TCP"}
                        for name, port in setup.port_names.items()
                    ],
                }
            ],
        },
        "status": {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [
                {
                    "name": "envoy",
                    "image": "envoyproxy/envoy",
                    "ready": True,
                    "started": True,
                    "restartCount": 0,
                    "state": {"running": {}},
                }
            ],
        },
    }
