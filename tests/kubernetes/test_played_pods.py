"""A Deployment keeps the pods that are played for it as its ReplicaSet would."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clock import Clock
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.played_pods import PlayedPods, replicas_of
from testbed.settings import PRODUCTION
from tests.kubernetes.test_deployment_controller import deployment


class HandClock(Clock):
    """Production time as the test sets it."""

    seconds = 0.0

    def now(self) -> float:
        return type(self).seconds


class Cluster:
    def __init__(self) -> None:
        self.store = ObjectStore(Clock())
        self.played = PlayedPods(self.store, HandClock())
        for number in range(2):
            metadata = {"name": f"envoy-{number}", "namespace": "default", "labels": {"app": "shop"}}
            status = {"podIP": f"127.0.0.{number}", "conditions": [{"type": "Ready", "status": "True"}]}
            self.store.restore({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status})

    def look(self, seconds: float = 0.0) -> list[str]:
        HandClock.seconds += seconds
        self.played.look(self.store.list("Deployment"))
        return [pod["metadata"]["name"] for pod in self.store.list("Pod")]

    def scale(self, count: int, name: str = "shop") -> None:
        self.store.patch("Deployment", "default", name, {"spec": {"replicas": count}})


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.store.create(deployment("shop", 3, image="shop:1"))
    made.look()
    return made


def test_a_deleted_pod_comes_back_with_its_address_after_the_time_that_a_pod_needs(cluster: Cluster) -> None:
    [before] = [pod for pod in cluster.store.list("Pod") if pod["metadata"]["name"] == "envoy-1"]
    cluster.store.delete("Pod", "default", "envoy-1")
    assert cluster.look() == ["envoy-0"]
    assert cluster.played.is_waiting
    assert cluster.look(PRODUCTION.pod_start / 2) == ["envoy-0"]
    assert cluster.look(PRODUCTION.pod_start / 2) == ["envoy-0", "envoy-1"]
    assert not cluster.played.is_waiting
    [after] = [pod for pod in cluster.store.list("Pod") if pod["metadata"]["name"] == "envoy-1"]
    assert after["status"] == before["status"]
    assert after["metadata"]["uid"] != before["metadata"]["uid"]


@pytest.mark.parametrize(("count", "pods"), [(0, []), (1, ["envoy-0"]), (2, ["envoy-0", "envoy-1"])])
def test_pods_go_and_come_with_the_number_of_the_deployment(
    cluster: Cluster, count: int, pods: list[str]
) -> None:
    cluster.scale(count)
    assert cluster.look() == pods
    cluster.scale(3)
    cluster.look()
    assert cluster.look(PRODUCTION.pod_start) == ["envoy-0", "envoy-1"]


def test_without_a_number_all_pods_stay_as_an_autoscaler_may_want_them() -> None:
    cluster = Cluster()
    cluster.store.create(deployment("shop", None, image="shop:1"))
    assert cluster.look() == ["envoy-0", "envoy-1"]


def test_a_pod_gets_the_labels_of_the_template_so_that_kubectl_logs_finds_it() -> None:
    cluster = Cluster()
    item: Any = deployment("shop", image="shop:1")
    item["spec"]["template"]["metadata"]["labels"]["tier"] = "web"
    cluster.store.create(item)
    cluster.look()
    pods = cluster.store.list("Pod")
    assert [pod["metadata"]["labels"] for pod in pods] == [{"app": "shop", "tier": "web"}] * 2
    assert [pod["status"]["podIP"] for pod in pods] == ["127.0.0.0", "127.0.0.1"]
    cluster.look()
    assert cluster.store.list("Pod") == pods


def test_of_two_deployments_with_the_same_labels_the_sum_counts(cluster: Cluster) -> None:
    green = deployment("green", 0, image="shop:2")
    green["spec"]["template"]["metadata"]["labels"] = {"app": "shop"}
    cluster.store.create(green)
    cluster.scale(1)
    assert cluster.look() == ["envoy-0"]
    cluster.scale(1, "green")
    cluster.look()
    assert cluster.look(PRODUCTION.pod_start) == ["envoy-0", "envoy-1"]


def test_a_pod_without_a_deployment_stays_away() -> None:
    cluster = Cluster()
    cluster.store.create(deployment("other", image="other:1"))
    cluster.look()
    cluster.store.delete("Pod", "default", "envoy-0")
    assert cluster.look(PRODUCTION.pod_start) == ["envoy-1"]
    assert not cluster.played.is_waiting


def test_a_deployment_that_does_not_say_asks_for_one_pod() -> None:
    assert (replicas_of({}), replicas_of({"spec": {"replicas": 0}})) == (1, 0)
