"""`LbControllerStopped` as it strikes a cluster, and as it is undone."""

from __future__ import annotations

from testbed.faults.lb_controller_stopped import LbControllerStopped
from testbed.kubernetes.played_pods import replicas_of
from testbed.runtime.components.deployed_controllers import deployment
from testbed.runtime.scaled_controllers import scaled_to_zero
from tests.rehearsal.still_topology import StillTopology


def test_its_deployment_has_no_pods_until_it_ends(still_topology: StillTopology) -> None:
    objects = still_topology.cluster.objects
    objects.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}})
    objects.apply(deployment("aws-load-balancer-controller", "v2.13.4", []))
    with scaled_to_zero(objects, LbControllerStopped.image):
        assert [replicas_of(one) for one in objects.list("Deployment")] == [0]
    assert [replicas_of(one) for one in objects.list("Deployment")] == [1]
