"""A Deployment has what it asks for at once; pods are there for what the testbed runs."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clock import Clock
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.deployment_controller import DeploymentController, image_name, image_of
from testbed.kubernetes.played_pods import replicas_of


def deployment(
    name: str = "external-dns", replicas: int | None = 2, image: str = "a/b/run:v1"
) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": name, "image": image}]},
    }
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {**spec, **({} if replicas is None else {"replicas": replicas})},
    }


@pytest.fixture
def store() -> ObjectStore:
    return ObjectStore(Clock())


def look(store: ObjectStore) -> list[str]:
    DeploymentController(store, Clock(), lambda image: image == "run", lambda: None).look()
    return sorted(pod["metadata"]["name"] for pod in store.list("Pod"))


def test_pods_come_and_go_with_the_number_that_is_asked_for(store: ObjectStore) -> None:
    store.create(deployment())
    before = look(store)
    assert len(before) == 2
    assert look(store) == before
    for count in (1, 0, 3):
        store.patch("Deployment", "default", "external-dns", {"spec": {"replicas": count}})
        found = look(store)
        assert len(found) == count
        assert set(found) <= set(before) or set(before) <= set(found)


def test_another_template_has_other_pods(store: ObjectStore) -> None:
    store.create(deployment())
    before = look(store)
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
    store.patch("Deployment", "default", "external-dns", {"spec": {"template": template}})
    assert set(look(store)).isdisjoint(before)


def test_a_deployment_that_is_not_run_is_available_without_pods(store: ObjectStore) -> None:
    store.create(deployment("shop", None, image="shop:1"))
    assert look(store) == []
    [found] = store.list("Deployment")
    status = found["status"]
    assert status["observedGeneration"] == found["metadata"]["generation"]
    assert (status["updatedReplicas"], status["availableReplicas"]) == (1, 1)


def test_pods_of_others_are_left_alone_and_a_deleted_deployment_takes_its_own(store: ObjectStore) -> None:
    store.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "own", "namespace": "default"}})
    store.create(deployment())
    assert len(look(store)) == 3
    store.delete("Deployment", "default", "external-dns")
    assert look(store) == ["own"]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("registry.k8s.io/external-dns/external-dns:v0.21.0", "external-dns"),
        ("localhost:5000/external-dns", "external-dns"),
        ("external-dns@sha256:0", "external-dns"),
        ("", ""),
    ],
)
def test_the_name_of_an_image_has_no_registry_and_no_tag(image: str, name: str) -> None:
    assert image_name(image) == name
    assert image_of(deployment(image=image)) == name


def test_without_a_number_there_is_one_pod() -> None:
    assert [replicas_of(deployment(replicas=count)) for count in (None, 0, 3)] == [1, 0, 3]
