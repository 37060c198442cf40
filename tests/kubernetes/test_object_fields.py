from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes import object_fields
from testbed.kubernetes.api_errors import Invalid
from testbed.kubernetes.object_fields import (
    content,
    copied,
    identity,
    status_of,
    title,
    unversioned,
    with_fixed,
    without_status,
)
from tests.kubernetes.manifests_of_the_story import service


def test_a_whole_object_has_its_fields() -> None:
    item = service(annotations={"a": "b"})
    item["metadata"] |= {"namespace": "prod", "uid": "u-1", "labels": {"c": "d"}, "finalizers": ["e/f"]}
    assert object_fields.key(item) == "prod/envoy"
    assert (object_fields.namespace(item), object_fields.name(item)) == ("prod", "envoy")
    assert object_fields.uid(item) == "u-1"
    assert object_fields.annotations_of(item) == {"a": "b"}
    assert object_fields.labels_of(item) == {"c": "d"}
    assert list(object_fields.finalizers(item)) == ["e/f"]
    assert object_fields.spec(item)["type"] == "LoadBalancer"


@pytest.mark.parametrize(
    "item", [{}, {"metadata": None, "spec": None}, {"metadata": {"labels": None, "uid": None}}]
)
def test_a_field_that_is_left_out_is_empty(item: dict[str, object]) -> None:
    assert object_fields.key(item) == "/"
    assert object_fields.uid(item) == ""
    assert (
        object_fields.spec(item) == object_fields.labels_of(item) == object_fields.annotations_of(item) == {}
    )
    assert list(object_fields.finalizers(item)) == []
    assert not object_fields.is_being_deleted(item)
    assert object_fields.spec(None) == {}


def test_an_object_with_the_time_of_its_deletion_is_being_deleted() -> None:
    assert object_fields.is_being_deleted({"metadata": {"deletionTimestamp": "2021-02-10T12:00:00Z"}})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
FIELDS = st.dictionaries(st.sampled_from("abcd"), st.integers(), max_size=4)


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=3))
def test_a_copy_is_equal_and_shares_nothing(item: dict[str, Any]) -> None:
    copy = copied(item)
    assert copy == item
    assert all(copy[key] is not item[key] for key in item if isinstance(item[key], list | dict))


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(Invalid, match="the object is not JSON"):
        copied({"a": object()})


def test_an_object_is_known_by_kind_namespace_and_name() -> None:
    assert identity(service()) == ("Service", "default", "envoy")
    assert title(service()) == "Service default/envoy"
    assert title({"kind": "Node", "metadata": {"name": "node-0"}}) == "Node node-0"


@pytest.mark.parametrize("item", [{}, {"kind": "Service"}, {"kind": "Service", "metadata": {}}])
def test_an_object_without_kind_or_name_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=r"needs a kind and metadata\.name"):
        identity(item)


def test_status_and_the_rest_are_two_parts() -> None:
    item = {**service(), "status": {"a": 1}}
    assert {**without_status(item), **status_of(item)} == item
    assert status_of(service()) == {}


def test_metadata_and_status_do_not_count_for_the_generation() -> None:
    other = {**service(annotations={"a": "b"}), "status": {"a": 1}}
    assert content(other) == content(service())
    assert content(service(port=1)) != content(service())


def test_versions_alone_are_no_change() -> None:
    item = service()
    newer = {**item, "metadata": {**item["metadata"], "resourceVersion": "9", "generation": 2}}
    assert unversioned(newer) == unversioned(item)


@given(FIELDS, FIELDS, st.sets(st.sampled_from("abcd")))
def test_fixed_fields_are_as_in_the_old_metadata_and_the_others_as_in_the_new(
    new: dict[str, Any], old: dict[str, Any], fixed: set[str]
) -> None:
    mixed = with_fixed(new, old, fixed)
    for field in "abcd":
        source = old if field in fixed else new
        assert mixed.get(field) == source.get(field)
        assert (field in mixed) == (field in source)


@pytest.mark.parametrize("status", [None, {}, {"loadBalancer": None}, {"loadBalancer": {"ingress": None}}])
def test_an_object_without_a_balancer_has_no_entries(status: dict[str, Any] | None) -> None:
    item = {**service(), "status": status}
    assert list(object_fields.balancer_entries(item)) == []
    with_one = {**service(), "status": {"loadBalancer": {"ingress": [{"hostname": "a.b"}]}}}
    assert list(object_fields.balancer_entries(with_one)) == [{"hostname": "a.b"}]
