from __future__ import annotations

from typing import Any

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.controllers.in_tree_service_controller import InTreeServiceController
from tests.lb_controller.controllers.cluster_at_work import DNS, NLB, Cluster, nlb_service


def test_a_service_gets_its_nlb_with_the_nodes_as_targets(cluster: Cluster) -> None:
    cluster.store.put(nlb_service())
    cluster.settle()
    [balancer] = cluster.balancers()
    assert balancer["Type"] == "network"
    assert cluster.hostname("Service", "envoy") == balancer["DNSName"].lower()
    assert sorted(cluster.targets().values(), key=sorted) == [
        {("i-1", 30080), ("i-2", 30080)},
        {("i-1", 30443), ("i-2", 30443)},
    ]
    assert cluster.events("envoy") == [
        ("EnsuringLoadBalancer", "Ensuring load balancer"),
        ("EnsuredLoadBalancer", "Ensured load balancer"),
    ]


def test_one_nlb_takes_few_calls(cluster: Cluster, aws: Any) -> None:
    aws.calls.clear()
    cluster.store.put(nlb_service())
    cluster.settle()
    assert len(aws.calls) <= 13, aws.calls


def test_taking_the_dns_annotation_away_does_not_touch_the_nlb(cluster: Cluster, aws: Any) -> None:
    cluster.store.put(nlb_service(**{DNS: "api.example.com"}))
    cluster.settle()
    hostname = cluster.hostname("Service", "envoy")
    aws.calls.clear()
    cluster.store.patch("Service", "default", "envoy", {"metadata": {"annotations": {DNS: None}}})
    cluster.settle()
    assert aws.mutating() == []
    assert cluster.hostname("Service", "envoy") == hostname


@pytest.mark.parametrize("way", ["deleted", "ClusterIP"])
def test_the_nlb_goes_with_the_service_or_its_type(cluster: Cluster, way: str) -> None:
    cluster.store.put(nlb_service())
    cluster.settle()
    if way == "deleted":
        cluster.store.delete("Service", "default", "envoy")
    else:
        service = nlb_service()
        cluster.store.put({**service, "spec": {**service["spec"], "type": "ClusterIP"}})
    cluster.settle()
    assert cluster.balancers() == []
    assert cluster.targets() == {}
    left = cluster.store.get("Service", "default", "envoy")
    if way == "deleted":
        assert left is None
    else:
        assert left is not None
        assert left["status"] == {"loadBalancer": {}}
        assert not left["metadata"].get("finalizers")
    assert ("DeletedLoadBalancer", "Deleted load balancer") in cluster.events("envoy")


def test_another_type_annotation_leaves_the_nlb_standing(cluster: Cluster) -> None:
    cluster.store.put(nlb_service())
    cluster.settle()
    cluster.store.patch("Service", "default", "envoy", {"metadata": {"annotations": {NLB: None}}})
    cluster.settle()
    assert len(cluster.balancers()) == 1


def test_the_provider_is_of_2020_whatever_the_release_of_the_load_balancer_controller(
    cluster: Cluster,
) -> None:
    assert isinstance(cluster.services, InTreeServiceController)
    assert cluster.groups.options.release is LB_CONTROLLER_RELEASES.newest
    assert cluster.services.options.release is LB_CONTROLLER_RELEASES.oldest


def test_a_service_that_the_provider_refuses_gets_its_words_as_an_event(cluster: Cluster) -> None:
    service = nlb_service()
    service["spec"]["sessionAffinity"] = "ClientIP"
    cluster.store.put(service)
    cluster.settle()

    assert cluster.balancers() == []
    assert (
        "SyncLoadBalancerFailed",
        "Error syncing load balancer: failed to ensure load balancer: "
        "unsupported load balancer affinity: ClientIP",
    ) in cluster.events("envoy")
