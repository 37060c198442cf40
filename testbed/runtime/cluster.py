"""What stands in the cluster before any manifest: two nodes in two zones, and the Envoy pods on them."""

from __future__ import annotations

from typing import Any

from testbed.network import Network
from testbed.settings import REGION

PODS = 2
ZONES = (f"{REGION}a", f"{REGION}c")
POD_LABELS = {"app": "envoy"}
TLS_PORT = 8443
PLAIN_PORT = 8080


def objects(network: Network) -> list[dict[str, Any]]:
    """The objects, in an order in which the Kubernetes API takes them."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
    return [
        namespace,
        *(_node(network, index) for index in range(PODS)),
        *(_pod(network, index) for index in range(PODS)),
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
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def _pod(network: Network, index: int) -> dict[str, Any]:
    address = network.envoy_pod(index)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": pod_name(index), "namespace": "default", "labels": dict(POD_LABELS)},
        "spec": {
            "nodeName": f"node-{index}",
            "containers": [
                {
                    "name": "envoy",
                    "ports": [
                        {"name": "https", "containerPort": TLS_PORT},
                        {"name": "http", "containerPort": PLAIN_PORT},
                    ],
                }
            ],
        },
        "status": {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
