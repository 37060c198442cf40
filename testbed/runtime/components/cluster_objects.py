"""The objects of a cluster before any manifest: two nodes in two zones, an Envoy pod on each, a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from testbed.lb_controller.core.helm_chart import INGRESS_CLASS
from testbed.network import Network
from testbed.rehearsal.scenario import Targets
from testbed.rehearsal.setup import ClusterSetup
from testbed.settings import REGION

PODS = 2
"""Target pods of a kind, and nodes of a cluster: one pod on each."""
_NODES = 20
"""Nodes of all clusters, at most: so many pods of one kind have addresses."""
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
"""Every cluster has them; the controllers of most people run in kube-system."""
ZONES = (f"{REGION}a", f"{REGION}c")
_ROOM = {"cpu": "2", "memory": "4Gi", "pods": "29"}


def objects(network: Network, setup: ClusterSetup, number: int = 0) -> list[dict[str, Any]]:
    """Return the objects of the cluster `number`, in an order in which the Kubernetes API takes them."""
    own = indexes(number)
    return [
        *(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            for name in dict.fromkeys((*NAMESPACES, *(one.namespace for one in setup.targets)))
        ),
        *(_node(network, index) for index in own),
        *(_pod(network, one) for one in pods(setup, number)),
        dict(INGRESS_CLASS),
    ]


@dataclass(frozen=True, slots=True)
class PlacedPod:
    """A target pod and its place.

    Attributes:
        targets: the kind of pods that it is of.
        node: the index of its node.
        index: the index of its address.
    """

    targets: Targets
    node: int
    index: int

    @property
    def name(self) -> str:
        """The name of the pod, `envoy-0`."""
        return pod_name(self.node, self.targets.name)


def pods(setup: ClusterSetup, number: int = 0) -> list[PlacedPod]:
    """Return the target pods of the cluster `number`: of each kind one on each node."""
    return [
        PlacedPod(targets, node, pod_index(node, kind))
        for kind, targets in enumerate(setup.targets)
        for node in indexes(number)
    ]


def pod_index(node: int, kind: int) -> int:
    """Return the index of the address that a pod of a kind has on a node, both from 0."""
    return kind * _NODES + node


def indexes(number: int) -> range:
    """Return the indexes of the nodes and target pods of the cluster `number`, both from 0.

    Nodes are EC2 instances of one account, and pods have addresses of one network: clusters share none.
    """
    return range(number * PODS, (number + 1) * PODS)


def pod_name(index: int, of: str = "envoy") -> str:
    """Return the name of a target Envoy pod, from 0."""
    return f"{of}-{index}"


def instance_id(index: int) -> str:
    """Return the id of the EC2 instance that a node is."""
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


def _pod(network: Network, pod: PlacedPod) -> dict[str, Any]:
    address, targets = network.envoy_pod(pod.index), pod.targets
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": pod.name, "namespace": targets.namespace, "labels": dict(targets.labels)},
        "spec": {
            "nodeName": f"node-{pod.node}",
            "containers": [
                {
                    "name": "envoy",
                    "image": "envoyproxy/envoy",
                    "ports": [
                        {"name": name, "containerPort": port, "protocol": "TCP"}
                        for name, port in targets.port_names.items()
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
