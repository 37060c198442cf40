"""What each verb does to the store."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clock import Clock
from testbed.kubernetes.api.statuses import Refused
from testbed.kubernetes.api.verbs import Verbs
from tests.kubernetes.api.calls import DEFAULT, Api, request
from tests.kubernetes.manifests_of_the_story import service

SERVICES, WEB = f"{DEFAULT}/services", f"{DEFAULT}/services/envoy"
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"


def test_create_stores_the_object_and_its_owner(api: Api) -> None:
    made = api.ok("POST", SERVICES, service(), fieldManager="me")
    assert made == api.ok("GET", WEB)
    assert [(one["manager"], one["operation"]) for one in made["metadata"]["managedFields"]] == [
        ("me", "Update")
    ]
    assert api.refused("POST", SERVICES, service()) == (
        409,
        "AlreadyExists",
        'services "envoy" already exists',
    )


def test_a_name_is_made_up_where_one_is_asked_for(api: Api) -> None:
    item = service()
    item["metadata"] = {"generateName": "web-"}
    first, second = (api.ok("POST", SERVICES, item)["metadata"]["name"] for _ in range(2))
    assert first != second
    assert first.startswith("web-")
    assert len(first) == len("web-") + 5


@pytest.mark.parametrize(
    ("path", "item", "words"),
    [
        (
            SERVICES,
            {**service(), "metadata": {"name": "envoy", "namespace": "prod"}},
            "does not match the namespace",
        ),
        ("/api/v1/namespaces/prod/services", service(), 'namespaces "prod" not found'),
        (SERVICES, {**service(), "kind": "Pod"}, "does not match the expected API version"),
        (SERVICES, service(kind_of_service="Outside"), 'spec.type: Unsupported value: "Outside"'),
        (WEB, service(), "does not allow this method"),
    ],
)
def test_create_refuses_what_does_not_fit(api: Api, path: str, item: dict[str, Any], words: str) -> None:
    assert words in api.refused("POST", path, item)[2]
    assert api.store.list("Service") == []


def test_nothing_is_created_in_a_namespace_that_goes(api: Api) -> None:
    api.store.patch("Namespace", None, "default", {"metadata": {"finalizers": ["hold"]}})
    api.store.delete("Namespace", None, "default")
    code, reason, message = api.refused("POST", SERVICES, service())
    assert (code, reason) == (403, "Forbidden")
    assert "is being terminated" in message


def test_update_replaces_all_but_the_status(api: Api) -> None:
    made = api.ok("POST", SERVICES, service(annotations={"a": "1"}))
    api.store.update_status("Service", None, "envoy", {"loadBalancer": {"ingress": [{"hostname": "x"}]}})
    made["metadata"].pop("resourceVersion")
    made["metadata"]["annotations"] = {"b": "2"}
    made["status"] = {}
    updated = api.ok("PUT", WEB, made)
    assert updated["metadata"]["annotations"] == {"b": "2"}
    assert updated["status"]["loadBalancer"]["ingress"] == [{"hostname": "x"}]


def test_update_of_another_version_or_identity_is_a_conflict(api: Api) -> None:
    made = api.ok("POST", SERVICES, service())
    api.store.patch("Service", None, "envoy", {"metadata": {"annotations": {"a": "1"}}})
    assert "the object has been modified" in api.refused("PUT", WEB, made)[2]
    item = service()
    item["metadata"] = {"name": "envoy", "uid": "other"}
    assert "UID in precondition: other" in api.refused("PUT", WEB, item)[2]
    assert "does not match the name on the URL" in api.refused("PUT", WEB, service("other"))[2]


def test_the_status_is_changed_at_its_own_path_and_nowhere_else(api: Api) -> None:
    api.ok("POST", SERVICES, service())
    patch = {"spec": {"type": "ClusterIP"}, "status": {"loadBalancer": {"ingress": [{"hostname": "x"}]}}}
    changed = api.ok("PATCH", f"{WEB}/status", patch, MERGE)
    assert changed["spec"]["type"] == "LoadBalancer"
    assert changed["status"]["loadBalancer"]["ingress"] == [{"hostname": "x"}]
    changed = api.ok("PATCH", WEB, {**patch, "status": None}, MERGE)
    assert changed["spec"]["type"] == "ClusterIP"
    assert changed["status"]["loadBalancer"]["ingress"] == [{"hostname": "x"}]


def test_a_patch_cannot_rename(api: Api) -> None:
    api.ok("POST", SERVICES, service())
    assert "cannot be changed" in api.refused("PATCH", WEB, {"metadata": {"name": "x"}}, MERGE)[2]
    assert api.refused("PATCH", f"{SERVICES}/absent", {}, MERGE)[:2] == (404, "NotFound")


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        ("POST", SERVICES, service("second"), "application/json"),
        ("PUT", WEB, service(annotations={"a": "1"}), "application/json"),
        ("PATCH", WEB, {"spec": {"type": "ClusterIP"}}, MERGE),
        ("DELETE", WEB, None, "application/json"),
        ("DELETE", SERVICES, None, "application/json"),
    ],
)
def test_a_dry_run_changes_nothing(api: Api, method: str, path: str, body: Any, kind: str) -> None:
    api.ok("POST", SERVICES, service())
    revision = api.store.revision
    api.ok(method, path, body, kind, dryRun="All")
    assert api.store.revision == revision


def test_apply_needs_a_manager_and_creates_what_is_not_there(api: Api) -> None:
    item = service()
    assert "fieldManager: Required value" in api.refused("PATCH", WEB, item, APPLY)[2]
    made = api.ok("PATCH", WEB, item, APPLY, fieldManager="me")
    assert made["metadata"]["managedFields"][0]["operation"] == "Apply"
    revision = api.store.revision
    api.ok("PATCH", WEB, item, APPLY, fieldManager="me")
    assert api.store.revision == revision


def test_apply_removes_what_its_manager_names_no_more(api: Api) -> None:
    api.ok("PATCH", WEB, service(annotations={"a": "1", "b": "2"}), APPLY, fieldManager="me")
    changed = api.ok("PATCH", WEB, service(annotations={"b": "2"}), APPLY, fieldManager="me")
    assert changed["metadata"]["annotations"] == {"b": "2"}
    other = api.refused("PATCH", WEB, service(annotations={"b": "3"}), APPLY, fieldManager="other")
    assert other[:2] == (409, "Conflict")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ([], "the body is no object"),
        ({**service(), "metadata": {"name": "other"}}, "does not match the name on the URL"),
        ({**service(), "metadata": {"managedFields": [{}]}}, "managedFields must be nil"),
    ],
)
def test_apply_refuses_what_does_not_fit(api: Api, item: Any, words: str) -> None:
    assert words in api.refused("PATCH", WEB, item, APPLY, fieldManager="me")[2]


def test_delete_answers_the_object_or_a_status(api: Api) -> None:
    api.ok("POST", SERVICES, service())
    api.ok("POST", f"{DEFAULT}/configmaps", {"metadata": {"name": "c"}})
    assert api.ok("DELETE", WEB)["kind"] == "Service"
    assert api.ok("DELETE", f"{DEFAULT}/configmaps/c")["status"] == "Success"
    assert api.refused("DELETE", WEB)[:2] == (404, "NotFound")


def test_a_collection_is_deleted_by_a_selector(api: Api) -> None:
    for name in "ab":
        api.ok("POST", SERVICES, service(name))
    gone = api.ok("DELETE", SERVICES, fieldSelector="metadata.name=a")
    assert gone["kind"] == "ServiceList"
    assert [item["metadata"]["name"] for item in api.store.list("Service")] == ["b"]


def test_a_namespace_gets_its_label_and_its_phase(api: Api) -> None:
    made = api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "shop", "labels": {"a": "1"}}})
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "shop", "a": "1"}
    assert made["status"] == {"phase": "Active"}


def test_a_method_without_a_meaning_is_refused(api: Api) -> None:
    with pytest.raises(Refused) as refused:
        Verbs(api.store, Clock()).act(request("PATCH", "Service"))
    assert refused.value.code == 405
