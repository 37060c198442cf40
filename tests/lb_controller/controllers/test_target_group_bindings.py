from __future__ import annotations

import pytest

from testbed.lb_controller.controllers.target_group_bindings import KIND, stack_labels
from testbed.lb_controller.core.stack import Stack
from tests.lb_controller.controllers.cluster_at_work import (
    Cluster,
    backend_service,
    endpoints,
    ingress,
    nlb_service,
    node,
)


def test_a_node_that_comes_or_goes_is_registered_or_deregistered(cluster: Cluster) -> None:
    cluster.store.put(nlb_service())
    cluster.settle()
    cluster.store.create(node("i-3"))
    cluster.store.delete("Node", None, "node-i-1")
    cluster.settle()
    assert {identity for targets in cluster.targets().values() for identity, _ in targets} == {"i-2", "i-3"}


def test_a_pod_that_leaves_the_endpoints_is_deregistered(cluster: Cluster) -> None:
    cluster.store.put(backend_service())
    cluster.store.put(endpoints("127.1.1.1", "127.1.1.2"))
    cluster.store.put(ingress("rest", "/*"))
    cluster.settle()
    cluster.store.put(endpoints("127.1.1.2"))
    cluster.settle()
    assert list(cluster.targets().values()) == [{("127.1.1.2", 10000)}]


def test_without_endpoints_object_the_pods_of_the_selector_are_the_targets(cluster: Cluster) -> None:
    service = backend_service()
    service["spec"]["selector"] = {"app": "envoy"}
    cluster.store.put(service)
    cluster.store.put(ingress("rest", "/*"))
    cluster.settle()
    assert list(cluster.targets().values()) == [set()]
    pod = {
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default", "labels": {"app": "envoy"}},
        "status": {"podIP": "127.1.1.9", "conditions": [{"type": "Ready", "status": "True"}]},
    }
    cluster.store.restore(pod)
    cluster.settle()
    assert list(cluster.targets().values()) == [{("127.1.1.9", 10000)}]
    cluster.store.delete("Pod", "default", "p")
    cluster.settle()
    assert list(cluster.targets().values()) == [set()]


def test_a_gated_pod_hears_of_its_target(cluster: Cluster) -> None:
    cluster.store.put(backend_service())
    cluster.store.put(endpoints("127.1.1.1"))
    cluster.store.put(ingress("rest", "/*"))
    cluster.settle()
    [name] = cluster.targets()
    gate = f"target-health.elbv2.k8s.aws/{name}"
    pod = {
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"readinessGates": [{"conditionType": gate}]},
        "status": {"podIP": "127.1.1.1"},
    }
    cluster.store.restore(pod)
    cluster.settle()
    reported = cluster.store.get("Pod", "default", "p")
    assert reported is not None
    assert [(one["type"], one["status"]) for one in reported["status"]["conditions"]] == [(gate, "True")]


@pytest.mark.parametrize(
    ("stack_id", "labels"),
    [
        ("app", {"ingress.k8s.aws/stack": "app"}),
        (
            "default/web",
            {"ingress.k8s.aws/stack-namespace": "default", "ingress.k8s.aws/stack-name": "web"},
        ),
    ],
)
def test_labels_hold_no_slash(stack_id: str, labels: dict[str, str]) -> None:
    assert stack_labels(Stack(id=stack_id, cluster_name="testbed", tag_prefix="ingress.k8s.aws")) == labels


def test_bindings_are_objects_of_the_cluster_for_as_long_as_their_stack_has_them(cluster: Cluster) -> None:
    cluster.store.put(backend_service())
    cluster.store.put(ingress("rest", "/*"))
    cluster.settle()
    [binding] = cluster.store.list(KIND)
    assert binding["spec"]["serviceRef"] == {"name": "plain", "port": 8080}
    assert "networking" not in binding["spec"]

    cluster.store.delete("Ingress", "default", "rest")
    cluster.settle()
    assert cluster.store.list(KIND) == []
