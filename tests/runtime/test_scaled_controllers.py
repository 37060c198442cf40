"""Controllers that are scaled to 0, whatever ends the block."""

from __future__ import annotations

import pytest

from testbed.kubernetes.played_pods import replicas_of
from testbed.runtime.components.deployed_controllers import deployment
from testbed.runtime.scaled_controllers import scaled_to_zero
from tests.rehearsal.conftest import still_topology
from tests.rehearsal.still_topology import StillTopology

__all__ = ["still_topology"]


def test_its_own_replicas_come_back_even_if_the_block_fails(still_topology: StillTopology) -> None:
    objects = still_topology.cluster.objects
    objects.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}})
    objects.apply(deployment("external-dns", "v0.21.0", [], replicas=3))
    with pytest.raises(ZeroDivisionError), scaled_to_zero(objects, "external-dns"):
        raise ZeroDivisionError
    assert [replicas_of(one) for one in objects.list("Deployment")] == [3]
