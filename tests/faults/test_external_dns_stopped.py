"""`ExternalDnsStopped` as it strikes a cluster, and as it is undone."""

from __future__ import annotations

import pytest

from testbed.errors import BadInput
from testbed.faults.external_dns_stopped import ExternalDnsStopped
from testbed.kubernetes.played_pods import replicas_of
from testbed.runtime.components.deployed_controllers import deployment
from testbed.runtime.scaled_controllers import scaled_to_zero
from tests.rehearsal.still_topology import StillTopology


def test_its_deployment_has_no_pods_until_it_ends(still_topology: StillTopology) -> None:
    objects = still_topology.cluster.objects
    objects.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}})
    objects.apply(deployment("external-dns", "v0.21.0", ["--source=service"]))
    objects.apply(deployment("aws-load-balancer-controller", "v2.13.4", []))

    def replicas() -> dict[str, int]:
        return {one["metadata"]["name"]: replicas_of(one) for one in objects.list("Deployment")}

    with scaled_to_zero(objects, ExternalDnsStopped.image):
        assert replicas() == {"external-dns": 0, "aws-load-balancer-controller": 1}
    assert replicas() == {"external-dns": 1, "aws-load-balancer-controller": 1}


def test_a_cluster_without_external_dns_has_none_to_stop(still_topology: StillTopology) -> None:
    with pytest.raises(BadInput, match="no Deployment of external-dns"):
        scaled_to_zero(still_topology.cluster.objects, ExternalDnsStopped.image).__enter__()
