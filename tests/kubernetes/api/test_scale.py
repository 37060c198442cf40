"""`kubectl scale` and `kubectl rollout status` on Deployments."""

from __future__ import annotations

import pytest

from testbed.kubernetes.api.scale import scale_of
from testbed.kubernetes.deployment_controller import DeploymentController
from tests.kubernetes.api.conftest import Cluster
from tests.kubernetes.test_deployment_controller import deployment


@pytest.fixture
def deployed(cluster: Cluster) -> Cluster:
    cluster.apply(deployment())
    return cluster


def replicas(cluster: Cluster) -> object:
    found = cluster.store.get("Deployment", "default", "external-dns")
    assert found
    return found["spec"]["replicas"]


@pytest.mark.parametrize("count", [0, 5])
def test_a_deployment_is_scaled(deployed: Cluster, count: int) -> None:
    said = deployed.ok("scale", "deploy/external-dns", f"--replicas={count}")
    assert said == "deployment.apps/external-dns scaled\n"
    assert replicas(deployed) == count


def test_a_scale_with_another_number_than_expected_is_refused(deployed: Cluster) -> None:
    refused = deployed.refused("scale", "deploy/external-dns", "--current-replicas=7", "--replicas=0")
    assert "Expected replicas to be 7, was 2" in refused
    assert replicas(deployed) == 2
    deployed.ok("scale", "deploy/external-dns", "--current-replicas=2", "--replicas=0")
    assert replicas(deployed) == 0


def test_what_is_not_there_cannot_be_scaled(deployed: Cluster) -> None:
    assert '"nobody" not found' in deployed.refused("scale", "deploy/nobody", "--replicas=0")


def test_a_rollout_ends_once_the_controller_has_looked(deployed: Cluster) -> None:
    waiting = deployed.start("rollout", "status", "deployment/external-dns")
    DeploymentController(deployed.store, deployed.clock, lambda _: True, lambda: None).look()
    stdout, stderr = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, stderr
    assert 'deployment "external-dns" successfully rolled out' in stdout


def test_a_scale_names_the_pods_that_it_counts() -> None:
    found = scale_of({**deployment(replicas=3), "status": {"replicas": 2}})
    assert found["spec"] == {"replicas": 3}
    assert found["status"] == {"replicas": 2, "selector": "app=external-dns"}
