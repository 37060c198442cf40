"""The objects of a cluster before any manifest."""

from __future__ import annotations

from testbed.clock import Clock
from testbed.kubernetes import ObjectStore
from testbed.network import Network
from testbed.runtime.components import cluster_objects
from tests.made_setups import OWN, PLAIN

NETWORK = Network(81)


def test_the_kubernetes_api_takes_them_in_their_order() -> None:
    for setup in (PLAIN.cluster, OWN.cluster):
        store = ObjectStore(Clock(), seed=1)
        for item in cluster_objects.objects(NETWORK, setup):
            store.put(item)
        assert len(store.list("Node")) == cluster_objects.PODS
        assert len(store.list("Pod")) == cluster_objects.PODS * len(setup.targets)


def test_a_cluster_has_the_namespaces_of_kubernetes_and_that_of_the_targets() -> None:
    names = [
        item["metadata"]["name"]
        for item in cluster_objects.objects(NETWORK, OWN.cluster)
        if item["kind"] == "Namespace"
    ]
    assert sorted(names) == ["default", "kube-node-lease", "kube-public", "kube-system", "shop"]


def test_the_pods_are_those_that_the_scenarios_services_select() -> None:
    pods = [item for item in cluster_objects.objects(NETWORK, OWN.cluster) if item["kind"] == "Pod"]
    own, others = pods[: cluster_objects.PODS], pods[cluster_objects.PODS :]
    assert {pod["metadata"]["labels"]["app"] for pod in others} == {"other"}
    assert len({pod["status"]["podIP"] for pod in pods}) == len(pods)
    assert [pod["spec"]["nodeName"] for pod in others] == ["node-0", "node-1"]
    for index, pod in enumerate(own):
        assert pod["metadata"]["labels"] == {"app": "web"}
        assert pod["metadata"]["namespace"] == "shop"
        assert pod["spec"]["containers"][0]["ports"] == [
            {"name": "tls", "containerPort": 9443, "protocol": "TCP"}
        ]
        assert pod["status"]["podIP"] == NETWORK.envoy_pod(index)


def test_every_node_is_an_instance_of_its_own_in_one_of_two_zones() -> None:
    nodes = [
        item
        for number in (0, 1)
        for item in cluster_objects.objects(NETWORK, PLAIN.cluster, number)
        if item["kind"] == "Node"
    ]
    providers = [node["spec"]["providerID"] for node in nodes]
    assert len(set(providers)) == len(nodes) == 2 * cluster_objects.PODS
    assert {node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes} == set(
        cluster_objects.ZONES
    )
