from __future__ import annotations

import contextlib
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes import AlreadyExists, Change, Conflict, Expired, Invalid, NotFound, ObjectStore, Watch
from testbed.kubernetes.kinds import custom_kind
from testbed.kubernetes.object_fields import copied
from testbed.kubernetes.object_store import WATCH_HISTORY
from tests.kubernetes.manifests_of_the_story import ingress, service


@pytest.fixture
def store() -> ObjectStore:
    return ObjectStore()


def test_a_new_object_gets_what_the_api_server_gives(store: ObjectStore) -> None:
    stored = store.put(service())
    assert stored["metadata"]["namespace"] == "default"
    assert stored["metadata"]["uid"].count("-") == 4
    assert stored["metadata"]["generation"] == 1
    assert stored["metadata"]["resourceVersion"] == "1"
    assert stored["metadata"]["creationTimestamp"].endswith("Z")


def test_the_same_seed_gives_the_same_uids_and_ports() -> None:
    first, second = (ObjectStore(seed=7).put(service()) for _ in range(2))
    assert first["metadata"]["uid"] == second["metadata"]["uid"]
    assert first["spec"] == second["spec"]


def test_putting_the_same_object_twice_changes_nothing(store: ObjectStore) -> None:
    first = store.put(service())
    with store.watch(["Service"], since=store.revision) as watch:
        assert store.put(service()) == first
        assert watch.get(0) is None


def test_put_keeps_the_status_the_finalizers_and_the_allocated_ports(store: ObjectStore) -> None:
    before = store.put(service())
    store.update_status("Service", "default", "envoy", {"loadBalancer": {"ingress": [{"hostname": "a.b"}]}})
    store.patch("Service", "default", "envoy", {"metadata": {"finalizers": ["keep"]}})
    after = store.put(service(annotations={"new": "1"}, port=8443))
    assert after["status"]["loadBalancer"]["ingress"] == [{"hostname": "a.b"}]
    assert after["metadata"]["finalizers"] == ["keep"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["clusterIP"] == before["spec"]["clusterIP"]
    same = store.put(service(annotations={"new": "2"}, port=8443))
    assert same["spec"]["ports"] == after["spec"]["ports"]


def test_put_replaces_what_the_metadata_names_and_keeps_the_rest(store: ObjectStore) -> None:
    store.put(service(annotations={"mine": "1"}))
    store.patch("Service", "default", "envoy", {"metadata": {"labels": {"theirs": "2"}}})
    metadata = store.put(service(annotations={"other": "1"}))["metadata"]
    assert metadata["annotations"] == {"other": "1"}
    assert metadata["labels"] == {"theirs": "2"}


def test_a_status_in_a_manifest_is_dropped_as_the_api_drops_it(store: ObjectStore) -> None:
    manifest = {**service(), "status": {"loadBalancer": {"ingress": [{"hostname": "stale"}]}}}
    assert "status" not in store.put(manifest)


def test_a_restored_object_keeps_status_uid_and_age(store: ObjectStore) -> None:
    exported = service()
    exported["metadata"]["uid"] = "11111111-2222-3333-4444-555555555555"
    exported["status"] = {"loadBalancer": {"ingress": [{"hostname": "a.b"}]}}
    restored = store.restore(exported)
    assert restored["metadata"]["uid"] == exported["metadata"]["uid"]
    assert restored["status"] == exported["status"]


def test_only_a_change_of_the_content_makes_a_new_generation(store: ObjectStore) -> None:
    store.put(service())
    assert (
        store.patch("Service", None, "envoy", {"metadata": {"annotations": {"a": "b"}}})["metadata"][
            "generation"
        ]
        == 1
    )
    assert store.update_status("Service", None, "envoy", {"x": 1})["metadata"]["generation"] == 1
    assert store.put(service(port=444))["metadata"]["generation"] == 2


def test_an_object_with_a_finalizer_goes_when_the_finalizer_goes(store: ObjectStore) -> None:
    store.put(service())
    store.patch("Service", "default", "envoy", {"metadata": {"finalizers": ["f"]}})
    with store.watch(["Service"], since=store.revision) as watch:
        store.delete("Service", "default", "envoy")
        waiting = store.get("Service", "default", "envoy")
        assert waiting is not None
        assert waiting["metadata"]["deletionTimestamp"]
        store.delete("Service", "default", "envoy")
        store.patch("Service", "default", "envoy", {"metadata": {"finalizers": []}})
        assert store.get("Service", "default", "envoy") is None
        assert [event.type for event in iter(lambda: watch.get(0), None)] == [Change.MODIFIED, Change.DELETED]


def test_a_patch_of_an_old_version_is_a_conflict(store: ObjectStore) -> None:
    old = store.put(service())["metadata"]["resourceVersion"]
    patch = {"metadata": {"resourceVersion": old, "labels": {"a": "b"}}}
    changed = store.patch("Service", "default", "envoy", patch)
    with pytest.raises(Conflict):
        store.patch("Service", "default", "envoy", {"metadata": {**patch["metadata"], "labels": {}}})
    assert store.get("Service", "default", "envoy") == changed


def test_what_is_missing_or_there_twice_is_said_in_one_line(store: ObjectStore) -> None:
    store.create(service())
    with pytest.raises(AlreadyExists, match=r"^Service default/envoy already exists$"):
        store.create(service())
    for act in (
        lambda: store.delete("Ingress", "default", "no"),
        lambda: store.patch("Ingress", "default", "no", {"metadata": {"annotations": {"a": None}}}),
        lambda: store.update_status("Ingress", None, "no", {}),
    ):
        with pytest.raises(NotFound, match=r"^there is no Ingress no in namespace default$"):
            act()
    with pytest.raises(Invalid, match="kind"):
        store.create({"metadata": {"name": "x"}})
    with pytest.raises(Invalid, match="not JSON"):
        store.create({"kind": "Pod", "metadata": {"name": "x"}, "spec": {1, 2}})


def test_what_get_returns_may_be_edited_without_touching_the_store(store: ObjectStore) -> None:
    given = service()
    store.put(given)
    given["spec"]["ports"][0]["port"] = 1
    mine = store.get("Service", "default", "envoy")
    assert mine is not None
    mine["spec"]["ports"][0]["port"] = 2
    assert store.list("Service")[0]["spec"]["ports"][0]["port"] == 443


def test_what_list_returned_never_changes_later(store: ObjectStore) -> None:
    store.put(service())
    (seen,) = store.list("Service")
    store.patch("Service", "default", "envoy", {"metadata": {"annotations": {"a": "b"}}})
    assert "annotations" not in seen["metadata"]


def test_a_watch_begins_with_what_stands_and_goes_on_without_a_gap(store: ObjectStore) -> None:
    store.put(service())
    with store.watch(["Service", "Ingress"]) as watch:
        store.put(ingress())
        store.put({"kind": "Pod", "metadata": {"name": "p"}})
        store.patch("Service", None, "envoy", {"metadata": {"annotations": {"a": "b"}}})
        store.delete("Ingress", "default", "rest")
        seen = [(event.type, event.object["kind"]) for event in iter(lambda: watch.get(0), None)]
    assert seen == [
        (Change.ADDED, "Service"),
        (Change.ADDED, "Ingress"),
        (Change.MODIFIED, "Service"),
        (Change.DELETED, "Ingress"),
    ]


def test_a_watch_from_a_revision_replays_the_history_as_far_as_it_reaches(store: ObjectStore) -> None:
    store.put(service())
    start = store.revision
    store.patch("Service", None, "envoy", {"metadata": {"annotations": {"a": "b"}}})
    with store.watch(["Service"], since=start) as watch:
        event = watch.get(0)
        assert event is not None
        assert event.type is Change.MODIFIED
    for number in range(WATCH_HISTORY):
        store.patch("Service", None, "envoy", {"metadata": {"annotations": {"a": str(number)}}})
    with pytest.raises(Expired):
        store.watch(["Service"], since=start)


def test_closing_a_watch_wakes_its_consumer(store: ObjectStore) -> None:
    watch = store.watch(["Service"])
    got: list[object] = []
    consumer = threading.Thread(target=lambda: got.append(watch.get()))
    consumer.start()
    watch.close()
    consumer.join(5)
    assert got == [None]


def test_wait_returns_when_something_was_written(store: ObjectStore) -> None:
    before = store.revision
    threading.Timer(0.02, store.put, [service()]).start()
    assert store.wait(before, 5) == before + 1
    assert store.wait(before + 1, 0.01) == before + 1


def test_cluster_wide_objects_have_no_namespace(store: ObjectStore) -> None:
    stored = store.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-0"}})
    assert "namespace" not in stored["metadata"]
    assert store.get("Node", "ignored", "node-0") is not None


def test_an_event_that_repeats_counts_up(store: ObjectStore) -> None:
    about = store.put(service())
    for _ in range(3):
        store.record_event(about, "Warning", "FailedBuildModel", "no subnets", "service")
    store.record_event(about, "Normal", "SuccessfullyReconciled", "done", "service")
    assert sorted(event["count"] for event in store.list("Event", "default")) == [1, 3]
    told = next(event for event in store.list("Event") if event["type"] == "Warning")
    assert told["involvedObject"]["uid"] == about["metadata"]["uid"]


def test_writers_in_many_threads_lose_nothing(store: ObjectStore) -> None:
    store.put(service())

    def write(thread: int) -> None:
        for number in range(50):
            store.patch("Service", None, "envoy", {"metadata": {"annotations": {f"{thread}-{number}": "x"}}})

    with store.watch(["Service"], since=store.revision) as watch:
        threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        revisions = [event.revision for event in iter(lambda: watch.get(0), None)]
    assert revisions == sorted(revisions)
    assert len(revisions) == 200
    (stored,) = store.list("Service")
    assert len(stored["metadata"]["annotations"]) == 200


ACTS = st.sampled_from(["apply", "annotate", "delete", "hold", "release", "resize"])
WRITES = st.lists(st.tuples(ACTS, st.sampled_from("abc"), st.integers(0, 2)), max_size=30)


@given(WRITES, st.integers(0, 30))
def test_whoever_follows_a_watch_sees_what_list_shows(writes: list[tuple[str, str, int]], late: int) -> None:
    store = ObjectStore()
    watch: Watch | None = None
    for number, (act, name, value) in enumerate(writes):
        if number == late:
            watch = store.watch(["Service"])
        with contextlib.suppress(NotFound):
            if act == "apply":
                store.put(service(name, port=1 + value))
            elif act == "annotate":
                store.patch(
                    "Service", None, name, {"metadata": {"annotations": {"a": str(value) if value else None}}}
                )
            elif act == "resize":
                store.patch("Service", None, name, {"spec": {"ports": [{"port": 1 + value}]}})
            elif act == "delete":
                store.delete("Service", None, name)
            else:
                store.patch(
                    "Service", None, name, {"metadata": {"finalizers": ["f"] if act == "hold" else None}}
                )
    seen: dict[str, object] = {}
    with watch or store.watch(["Service"]) as following:
        for event in iter(lambda: following.get(0), None):
            name = event.object["metadata"]["name"]
            assert (event.type is Change.ADDED) == (name not in seen)
            if event.type is Change.DELETED:
                del seen[name]
            else:
                seen[name] = event.object
    assert sorted(seen) == [one["metadata"]["name"] for one in store.list("Service")]
    assert all(seen[one["metadata"]["name"]] == one for one in store.list("Service"))


def test_no_write_changes_an_object_that_was_handed_out(store: ObjectStore) -> None:
    store.put(service(annotations={"a": "b"}))
    (seen,) = store.list("Service")
    before = copied(seen)
    store.patch("Service", None, "envoy", {"spec": {"type": "ClusterIP"}})
    store.patch("Service", None, "envoy", {"metadata": None})
    store.patch(
        "Service", None, "envoy", {"metadata": {"annotations": {"a": "c"}, "name": "other", "uid": "x"}}
    )
    store.update_status("Service", None, "envoy", {"x": 1})
    store.put(service(annotations={}, port=1))
    assert seen == before
    (now,) = store.list("Service")
    assert now["metadata"]["uid"] == seen["metadata"]["uid"]


def test_ten_thousand_objects_are_stored_and_listed_quickly(store: ObjectStore) -> None:
    manifests = [service(f"s{number}", kind_of_service="ClusterIP") for number in range(10_000)]
    began = time.process_time()
    for manifest in manifests:
        store.create(manifest)
    assert len(store.list("Service")) == 10_000
    assert time.process_time() - began < 3
    began = time.process_time()
    store.list("Service")
    assert time.process_time() - began < 0.2


def test_the_objects_of_an_earlier_revision_can_be_listed_again(store: ObjectStore) -> None:
    store.put(service("kept", annotations={"version": "1"}))
    store.put(service("removed"))
    then = store.revision
    before = store.list("Service")
    store.patch("Service", "default", "kept", {"metadata": {"annotations": {"version": "2"}}})
    store.delete("Service", "default", "removed")
    store.put(service("added"))
    assert store.list_at("Service", then) == before
    assert store.list_at("Service", store.revision) == store.list("Service")


def test_a_revision_beyond_the_history_cannot_be_listed(store: ObjectStore) -> None:
    store.put(service())
    for number in range(WATCH_HISTORY + 1):
        store.patch("Service", "default", "envoy", {"metadata": {"annotations": {"number": str(number)}}})
    with pytest.raises(Expired):
        store.list_at("Service", 1)


def test_a_dry_run_fills_in_everything_and_stores_nothing(store: ObjectStore) -> None:
    tried = store.create(service(), dry_run=True)
    assert tried["spec"]["ports"][0]["nodePort"]
    assert store.list("Service") == []
    stored = store.create(service())
    changed = {**stored, "spec": {**stored["spec"], "type": "ClusterIP"}}
    assert store.replace(changed, dry_run=True)["spec"]["type"] == "ClusterIP"
    assert store.get("Service", "default", "envoy") == stored


def test_replace_sets_the_status_and_the_managed_fields_and_nothing_that_is_fixed(store: ObjectStore) -> None:
    stored = store.create(service())
    metadata = {**stored["metadata"], "uid": "another", "managedFields": [{"manager": "me"}]}
    new = store.replace({**stored, "metadata": metadata, "status": {"loadBalancer": {}}})
    assert new["metadata"]["uid"] == stored["metadata"]["uid"]
    assert new["metadata"]["managedFields"] == [{"manager": "me"}]
    assert new["status"] == {"loadBalancer": {}}


def test_an_event_tells_what_was_there_before(store: ObjectStore) -> None:
    first = store.put(service())
    with store.watch(["Service"], since=store.revision) as watch:
        store.patch("Service", "default", "envoy", {"metadata": {"annotations": {"a": "1"}}})
        event = watch.get(0)
        assert event is not None
        assert event.previous == first


def test_a_custom_kind_never_passes_for_one_that_is_known(store: ObjectStore) -> None:
    knative = custom_kind("Service", "serving.knative.dev", namespaced=True)
    store.create({"apiVersion": "serving.knative.dev/v1", "kind": knative, "metadata": {"name": "a"}})
    assert store.list("Service") == []
    cluster_wide = custom_kind("Widget", "example.com", namespaced=False)
    made = store.create({"apiVersion": "example.com/v1", "kind": cluster_wide, "metadata": {"name": "a"}})
    assert "namespace" not in made["metadata"]
    assert custom_kind("TargetGroupBinding", "elbv2.k8s.aws", namespaced=True) == "TargetGroupBinding"
