from __future__ import annotations

from testbed.lb_controller.controllers.nlb_service_controller import NlbServiceController
from tests.lb_controller.controllers.cluster_at_work import NLB, Cluster, nlb_service


def test_a_service_of_the_load_balancer_controller_gets_its_nlb_until_it_is_no_longer_its_own(
    cluster: Cluster,
) -> None:
    service = nlb_service(**{NLB: "external", f"{NLB.removesuffix('type')}nlb-target-type": "instance"})
    cluster.store.put(service)
    cluster.settle()
    [balancer] = cluster.balancers()
    assert balancer["Scheme"] == "internal"
    assert balancer["LoadBalancerName"].startswith("k8s-default-envoy-")
    assert cluster.hostname("Service", "envoy") == balancer["DNSName"].lower()
    assert {identity for targets in cluster.targets().values() for identity, _ in targets} == {"i-1", "i-2"}
    assert cluster.events("envoy") == [("SuccessfullyReconciled", "Successfully reconciled")]
    cluster.store.delete("Service", "default", "envoy")
    cluster.settle()
    assert cluster.store.get("Service", "default", "envoy") is None
    assert cluster.balancers() == []
    assert cluster.targets() == {}


def test_a_service_that_cannot_be_built_gets_the_event_of_the_controller_and_no_nlb(cluster: Cluster) -> None:
    prefix = NLB.removesuffix("type")
    cluster.store.put(
        nlb_service(**{NLB: "external", f"{prefix}nlb-target-type": "ip", f"{prefix}scheme": "public"})
    )
    cluster.settle()

    assert cluster.balancers() == []
    assert cluster.events("envoy") == [
        ("FailedBuildModel", "Failed build model due to unknown scheme: public")
    ]
    [event] = cluster.store.list("Event")
    assert event["source"]["component"] == NlbServiceController.component
