"""`ReadinessFlapping` as it strikes a cluster, and as it is undone."""

from __future__ import annotations

import pytest

from testbed.errors import BadInput
from testbed.faults.readiness_flapping import ReadinessFlapping
from testbed.kubernetes.endpoints_controller import is_ready
from testbed.network import Network
from testbed.rehearsal.setup import ClusterSetup
from testbed.runtime.components import cluster_objects
from testbed.runtime.flapping_pods import flapping
from testbed.settings import PATIENCE
from tests.rehearsal.still_topology import StillTopology


def test_a_pod_is_unready_and_ready_in_turn_and_ready_once_it_ends(still_topology: StillTopology) -> None:
    for item in cluster_objects.objects(
        Network(81), ClusterSetup(external_dns_version="v0.21.0", lb_controller="v2.13.4")
    ):
        if item["kind"] == "Pod":
            still_topology.store.restore(item)
    seen: list[bool] = []
    with (
        still_topology.store.watch(["Pod"]) as watch,
        flapping(still_topology.cluster.objects, ReadinessFlapping("envoy-1", 5.0), still_topology.clock),
    ):
        while len(seen) < 4 and (event := watch.get(PATIENCE.condition)):
            if event.object["metadata"]["name"] == "envoy-1":
                seen.append(is_ready(event.object))
            else:
                assert is_ready(event.object)
    assert seen[-4:] in ([True, False, True, False], [False, True, False, True])
    pod = still_topology.store.get("Pod", "default", "envoy-1")
    assert pod
    assert is_ready(pod)


def test_a_pod_that_the_cluster_does_not_have_is_refused(still_topology: StillTopology) -> None:
    with pytest.raises(BadInput, match="has no pod envoy-1"):
        flapping(
            still_topology.cluster.objects, ReadinessFlapping("envoy-1"), still_topology.clock
        ).__enter__()


def test_what_is_no_target_pod_is_refused() -> None:
    with pytest.raises(BadInput, match="no part"):
        ReadinessFlapping("nlb")
