"""Pages, revisions and selectors of a list."""

from __future__ import annotations

import base64

import orjson
import pytest

from testbed.clock import Clock
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.api.lists import page, predicate, revision_of
from testbed.kubernetes.api.statuses import Refused
from tests.kubernetes.api.calls import request
from tests.kubernetes.manifests_of_the_story import service


@pytest.fixture
def store() -> ObjectStore:
    store = ObjectStore(Clock())
    for name in "abc":
        store.create(service(name))
    return store


def names(store: ObjectStore, **query: str) -> list[str]:
    return [item["metadata"]["name"] for item in page(store, request("GET", "Service", **query)).items]


def test_pages_follow_each_other_at_the_revision_of_the_first(store: ObjectStore) -> None:
    first = page(store, request("GET", "Service", limit="2"))
    assert first.metadata["remainingItemCount"] == 1
    store.delete("Service", None, "c")
    token = {"limit": "2", "continue": first.metadata["continue"]}
    second = page(store, request("GET", "Service", **token))
    assert [item["metadata"]["name"] for item in second.items] == ["c"]
    assert second.metadata == {"resourceVersion": first.metadata["resourceVersion"]}


def test_a_list_with_a_selector_does_not_count_what_remains(store: ObjectStore) -> None:
    found = page(store, request("GET", "Service", limit="1", fieldSelector="metadata.name!=a"))
    assert [item["metadata"]["name"] for item in found.items] == ["b"]
    assert "continue" in found.metadata
    assert "remainingItemCount" not in found.metadata


def test_an_exact_revision_is_listed_as_it_was(store: ObjectStore) -> None:
    before = str(store.revision)
    store.delete("Service", None, "a")
    assert names(store) == ["b", "c"]
    assert names(store, resourceVersion=before) == ["b", "c"]  # "not older than"
    assert names(store, resourceVersion=before, resourceVersionMatch="Exact") == ["a", "b", "c"]


def token(**fields: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(fields)).decode().rstrip("=")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "many"}, 400),
        ({"continue": "%%%"}, 400),
        ({"continue": token(rv=1)}, 400),
        ({"continue": token(rv=1, start="default/a"), "resourceVersion": "1"}, 400),
        ({"resourceVersion": "x"}, 400),
        ({"resourceVersion": "99"}, 504),
        ({"labelSelector": "a in"}, 400),
        ({"fieldSelector": "spec.colour=red"}, 400),
    ],
)
def test_a_parameter_that_cannot_be_served_is_refused(
    store: ObjectStore, query: dict[str, str], code: int
) -> None:
    with pytest.raises(Refused) as refused:
        page(store, request("GET", "Service", **query))
    assert refused.value.code == code


def test_a_page_that_history_has_forgotten_is_expired(store: ObjectStore) -> None:
    first = page(store, request("GET", "Service", limit="1"))
    for number in range(5000):
        store.patch("Service", None, "a", {"metadata": {"annotations": {"number": str(number)}}})
    query = {"continue": first.metadata["continue"]}
    with pytest.raises(Refused, match="continue parameter is too old") as refused:
        page(store, request("GET", "Service", **query))
    assert refused.value.code == 410


def test_a_request_is_about_its_namespace_and_its_name(store: ObjectStore) -> None:
    matches = predicate(request("GET", "Service", "a"))
    assert matches({"metadata": {"namespace": "default", "name": "a"}})
    assert not matches({"metadata": {"namespace": "default", "name": "b"}})
    assert not matches({"metadata": {"namespace": "prod", "name": "a"}})


def test_no_revision_and_zero_take_any() -> None:
    assert (revision_of(""), revision_of("0"), revision_of("7")) == (None, None, 7)
