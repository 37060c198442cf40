"""A controller runs as long as its Deployment asks for a pod: the user's, or the one that stands for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from testbed.clock import Clock
from testbed.kubernetes import ObjectStore
from testbed.rehearsal.setup import ClusterSetup
from testbed.runtime.components.deployed_controllers import (
    NAMESPACE,
    DeployedControllers,
    deployment,
    standing,
)

NAME = "external-dns"


class Cluster:
    def __init__(self) -> None:
        self.store = ObjectStore(Clock())
        self.switched: list[bool] = []
        self.noticed: list[str] = []
        self.controllers = DeployedControllers(
            self.store,
            {NAME: self.switched.append},
            lambda owner, text: self.noticed.append(f"{owner}: {text}"),
        )

    def patch(self, patch: dict[str, Any], namespace: str = NAMESPACE) -> list[bool]:
        self.store.patch("Deployment", namespace, NAME, patch)
        return self.look()

    def look(self) -> list[bool]:
        self.switched.clear()
        self.controllers.look()
        return list(self.switched)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def of_user(replicas: int = 1) -> dict[str, Any]:
    item = deployment(NAME, "v0.14.2", ["--source=service"], replicas)
    item["metadata"] = {"name": NAME, "namespace": "dns"}
    return item


def test_nothing_is_obeyed_before_the_story(cluster: Cluster) -> None:
    assert cluster.look() == []


def test_scaling_to_zero_and_back_stops_and_starts(cluster: Cluster) -> None:
    cluster.controllers.begin([deployment(NAME, "v0.21.0", ["--source=service"])])
    assert cluster.look() == []
    assert cluster.patch({"spec": {"replicas": 0}}) == [False]
    assert cluster.look() == []
    assert not cluster.controllers.runs(NAME)
    assert cluster.patch({"spec": {"replicas": 2}}) == [True]
    cluster.store.delete("Deployment", NAMESPACE, NAME)
    assert cluster.look() == [False]


def test_the_users_deployment_is_the_one_that_counts(cluster: Cluster) -> None:
    cluster.store.create(of_user(0))
    cluster.controllers.begin([deployment(NAME, "v0.21.0", [])])
    assert cluster.switched == [False]
    assert [one["metadata"]["namespace"] for one in cluster.store.list("Deployment")] == ["dns"]


def test_the_one_that_stands_for_it_gives_way_to_one_that_comes_later(cluster: Cluster) -> None:
    cluster.controllers.begin([deployment(NAME, "v0.21.0", [])])
    cluster.store.create(of_user())
    assert cluster.look() == []
    assert [one["metadata"]["namespace"] for one in cluster.store.list("Deployment")] == ["dns"]
    assert cluster.patch({"spec": {"replicas": 0}}, "dns") == [False]


def test_a_restart_restarts_and_another_image_says_that_it_decides_as_before(cluster: Cluster) -> None:
    cluster.controllers.begin([deployment(NAME, "v0.21.0", [])])
    annotated = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
    assert cluster.patch({"spec": {"template": annotated}}) == [False, True]
    assert cluster.noticed == []
    containers = [{"name": NAME, "image": "external-dns:v0.22.0"}]
    assert cluster.patch({"spec": {"template": {"spec": {"containers": containers}}}}) == [False, True]
    [said] = cluster.noticed
    assert said.startswith("deployment/kube-system/external-dns: its image or arguments have changed")


def test_another_release_of_the_scenario_is_shown_and_is_no_restart(cluster: Cluster) -> None:
    cluster.controllers.begin([deployment(NAME, "v0.21.0", [], 0)])
    cluster.look()
    cluster.controllers.show(deployment(NAME, "v0.14.2", ["--source=ingress"]))
    assert cluster.look() == []
    [shown] = cluster.store.list("Deployment")
    assert shown["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":v0.14.2")
    assert shown["spec"]["replicas"] == 0


def test_a_controller_that_a_person_runs_elsewhere_has_no_deployment() -> None:
    flags = ("--source=service",)
    setup = ClusterSetup(external_dns_version="v0.21.0", external_dns_flags=flags, lb_controller="v2.13.4")
    names = [item["metadata"]["name"] for item in standing(setup)]
    assert names == ["aws-load-balancer-controller", "external-dns"]
    assert standing(replace(setup, lb_controller_is_open=True, external_dns_is_open=True)) == []
    assert len(standing(replace(setup, external_dns_flags=()))) == 1
