"""Readiness that comes and goes as a controller of Endpoints sees it."""

from __future__ import annotations

import threading

from testbed.faults import ReadinessFlapping
from testbed.kubernetes.endpoints_controller import EndpointsController
from testbed.network import Network
from testbed.rehearsal.setup import ClusterSetup
from testbed.runtime.components import cluster_objects
from testbed.runtime.flapping_pods import flapping
from testbed.settings import PATIENCE
from tests.rehearsal.conftest import still_topology
from tests.rehearsal.still_topology import StillTopology

__all__ = ["still_topology"]

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "envoy"},
    "spec": {"selector": {"app": "envoy"}, "ports": [{"port": 443, "targetPort": 8443}]},
}


def test_the_pod_leaves_the_endpoints_and_comes_back(still_topology: StillTopology) -> None:
    for item in cluster_objects.objects(
        Network(81), ClusterSetup(external_dns_version="v0.21.0", lb_controller="v2.13.4")
    ):
        if item["kind"] == "Pod":
            still_topology.store.restore(item)
    still_topology.cluster.objects.apply(SERVICE)
    stop, pause = threading.Event(), threading.Event()
    controller = threading.Thread(target=EndpointsController(still_topology.store).run, args=[stop])
    controller.start()

    def ready() -> int:
        found = still_topology.store.get("Endpoints", "default", "envoy")
        return sum(len(one.get("addresses", ())) for one in found["subsets"]) if found else 0

    def until(count: int) -> bool:
        return any(ready() == count or pause.wait(PATIENCE.poll) for _ in range(1_000))

    try:
        assert until(2)
        flaps = flapping(
            still_topology.cluster.objects, ReadinessFlapping("envoy-0", 60.0), still_topology.clock
        )
        with flaps:
            assert until(1)
            assert until(2)
        assert until(2)
    finally:
        stop.set()
        controller.join()
