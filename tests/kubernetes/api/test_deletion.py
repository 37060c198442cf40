"""Deletes: options, preconditions, dependents and namespaces."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.kubernetes import ObjectStore
from testbed.kubernetes.api.deletion import Options, check, delete
from testbed.kubernetes.api.statuses import Refused
from tests.kubernetes.api.calls import resource


@pytest.mark.parametrize(
    ("body", "query", "options"),
    [
        ({}, {}, Options()),
        ({"propagationPolicy": "Foreground"}, {}, Options("Foreground")),
        ({"propagationPolicy": "Foreground"}, {"propagationPolicy": "Orphan"}, Options("Orphan")),
        ({"orphanDependents": True}, {}, Options("Orphan")),
        ({}, {"orphanDependents": "true"}, Options("Orphan")),
        ({"dryRun": ["All"]}, {}, Options(is_dry_run=True)),
        ({}, {"dryRun": "All"}, Options(is_dry_run=True)),
        ({"preconditions": {"uid": "1", "resourceVersion": "2"}}, {}, Options("Background", "1", "2")),
    ],
)
def test_options_come_from_the_body_and_the_parameters(
    body: dict[str, Any], query: dict[str, str], options: Options
) -> None:
    assert Options.of(body, query) == options


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"propagationPolicy": "Later"}, "Unsupported value: "),
        ({"dryRun": ["Some"]}, "supported values: All"),
    ],
)
def test_other_options_are_refused(body: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        Options.of(body, {})


def test_a_precondition_that_does_not_hold_is_a_conflict() -> None:
    item = {"metadata": {"name": "web", "uid": "1", "resourceVersion": "2"}}
    check(resource("Service"), item, Options(uid="1", resource_version="2"))
    with pytest.raises(Refused, match="UID in precondition: 3, UID in object meta: 1") as refused:
        check(resource("Service"), item, Options(uid="3"))
    assert refused.value.code == 409


@pytest.fixture
def store() -> ObjectStore:
    """An owner with two dependents; the second one has another owner as well."""
    store = ObjectStore()
    owner = store.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "owner"}, "spec": {}})
    mine = {"apiVersion": "v1", "kind": "Service", "name": "owner", "uid": owner["metadata"]["uid"]}
    other = {**mine, "name": "other", "uid": "other"}
    for name, owners in (("only", [mine]), ("shared", [mine, other])):
        metadata = {"name": name, "ownerReferences": owners}
        store.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    return store


def deleted(store: ObjectStore, policy: str) -> dict[str, list[str]]:
    """The owners of each dependent that is left."""
    owner = store.get("Service", None, "owner")
    assert owner
    assert delete(store, owner, Options(policy)) is None
    return {
        item["metadata"]["name"]: [one["name"] for one in item["metadata"].get("ownerReferences", ())]
        for item in store.list("ConfigMap")
    }


def test_a_dependent_goes_with_its_last_owner(store: ObjectStore) -> None:
    assert deleted(store, "Background") == {"shared": ["other"]}


def test_orphans_lose_their_owner_and_stay(store: ObjectStore) -> None:
    assert deleted(store, "Orphan") == {"only": [], "shared": ["other"]}


def test_in_the_foreground_dependents_go_first(store: ObjectStore) -> None:
    assert deleted(store, "Foreground") == {}


def test_what_a_finalizer_holds_is_left_and_keeps_its_dependents(store: ObjectStore) -> None:
    store.patch("Service", None, "owner", {"metadata": {"finalizers": ["a/b"]}})
    owner = store.get("Service", None, "owner")
    assert owner
    left = delete(store, owner, Options())
    assert left
    assert left["metadata"]["deletionTimestamp"]
    assert len(store.list("ConfigMap")) == 2


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_a_namespace_of_the_cluster_itself_is_never_deleted(name: str) -> None:
    item = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    with pytest.raises(Refused, match=f'namespaces "{name}" is forbidden: this namespace may not be deleted'):
        check(resource("Namespace"), item, Options())


def test_a_namespace_waits_for_the_last_object_in_it() -> None:
    store = ObjectStore()
    namespace = store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    held = {"name": "held", "namespace": "shop", "finalizers": ["a/b"]}
    store.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
    store.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}})
    left = delete(store, namespace, Options())
    assert left
    assert left["status"]["phase"] == "Terminating"
    assert [item["metadata"]["name"] for item in store.list("ConfigMap")] == ["held"]
