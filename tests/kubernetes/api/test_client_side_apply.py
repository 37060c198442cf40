"""The patch that `kubectl apply` computes; `tests/kubernetes/test_client.py` compares with kubectl itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.errors import BadInput
from testbed.kubernetes import merge_patch as json_merge
from testbed.kubernetes.api.client_side_apply import merge_patch, strategic_patch
from testbed.kubernetes.api.strategic_merge import merged

Item = dict[str, Any]


def ports(*numbers: int, **more: Any) -> Item:
    return {"spec": {"ports": [{"port": number, **more} for number in numbers]}}


@pytest.mark.parametrize(
    ("last", "manifest", "live", "patch"),
    [
        ({}, {"spec": {"a": 1}}, {"spec": {"a": 1, "b": 2}}, {}),
        ({}, {"spec": {"a": 1}}, {"spec": {"a": 2}}, {"spec": {"a": 1}}),
        ({"spec": {"a": 1}}, {"spec": {}}, {"spec": {"a": 1, "b": 2}}, {"spec": {"a": None}}),
        ({"spec": {"a": 1}}, {"spec": {"b": 3}}, {"spec": {"a": 1}}, {"spec": {"a": None, "b": 3}}),
        ({}, {"spec": {"a": None}}, {"spec": {"a": 1}}, {"spec": {"a": None}}),
        ({}, {"spec": {"a": True}}, {"spec": {"a": 1}}, {"spec": {"a": True}}),
        ({}, {"spec": {"a": {"b": 1}}}, {"spec": {"a": "text"}}, {"spec": {"a": {"b": 1}}}),
        ({}, {"spec": {"rules": [1]}}, {"spec": {"rules": [1, 2]}}, {"spec": {"rules": [1]}}),
    ],
)
def test_a_patch_deletes_what_left_the_manifest_and_sets_what_differs(
    last: Item, manifest: Item, live: Item, patch: Item
) -> None:
    assert strategic_patch("Service", last, manifest, live) == patch


@pytest.mark.parametrize(
    ("last", "manifest", "live", "spec"),
    [
        (ports(443), ports(443), ports(443), None),
        (ports(), ports(443), ports(), {"ports": [{"port": 443}]}),
        (
            ports(443),
            ports(443, 80),
            ports(443),
            {"$setElementOrder/ports": [{"port": 443}, {"port": 80}], "ports": [{"port": 80}]},
        ),
        (
            ports(443, 80),
            ports(443),
            ports(443, 80),
            {"$setElementOrder/ports": [{"port": 443}], "ports": [{"port": 80, "$patch": "delete"}]},
        ),
        (
            ports(443, name="a"),
            ports(443),
            ports(443, name="a"),
            {"$setElementOrder/ports": [{"port": 443}], "ports": [{"port": 443, "name": None}]},
        ),
        (
            ports(443, 80),
            ports(80, 443),
            ports(443, 80),
            {"$setElementOrder/ports": [{"port": 80}, {"port": 443}]},
        ),
        (ports(443), ports(443), ports(80, 443), {"$setElementOrder/ports": [{"port": 443}]}),
    ],
)
def test_entries_of_a_list_are_patched_by_their_key(
    last: Item, manifest: Item, live: Item, spec: Item | None
) -> None:
    assert strategic_patch("Service", last, manifest, live) == ({"spec": spec} if spec else {})


def finalizers(*names: str) -> Item:
    return {"metadata": {"finalizers": list(names)}}


def test_values_of_a_set_are_added_and_taken_away() -> None:
    patch = strategic_patch("Service", finalizers("a", "b"), finalizers("b", "c"), finalizers("a", "b", "x"))
    assert patch["metadata"] == {
        "finalizers": ["c"],
        "$deleteFromPrimitiveList/finalizers": ["a"],
        "$setElementOrder/finalizers": ["b", "c"],
    }


def test_a_union_names_the_fields_that_stay() -> None:
    def deployment(**strategy: Any) -> Item:
        return {"spec": {"strategy": strategy}}

    live = deployment(type="RollingUpdate", rollingUpdate={"maxSurge": 1})
    manifest = deployment(type="Recreate")
    patch = strategic_patch("Deployment", deployment(type="RollingUpdate"), manifest, live)
    assert patch == {"spec": {"strategy": {"type": "Recreate", "$retainKeys": ["type"]}}}
    assert merged("Deployment", live, patch) == manifest
    assert strategic_patch("StatefulSet", {}, manifest, live) == deployment(type="Recreate")


def test_an_entry_without_its_key_is_refused() -> None:
    nameless: Item = {"spec": {"ports": [{"name": "a"}]}}
    with pytest.raises(BadInput, match="does not contain declared merge key: port"):
        strategic_patch("Service", {}, nameless, ports(443))


@pytest.mark.parametrize(
    ("last", "manifest", "live", "patch"),
    [
        ({}, {"a": 1}, {"a": 1, "b": 2}, {}),
        ({"a": 1}, {}, {"a": 1, "b": 2}, {"a": None}),
        ({"a": {"b": 1, "c": 1}}, {"a": {"b": 1}}, {"a": {"b": 2, "c": 1}}, {"a": {"b": 1, "c": None}}),
        ({"l": [1]}, {"l": [2]}, {"l": [1]}, {"l": [2]}),
        ({}, {"a": {}}, {}, {"a": {}}),
        ({}, {"a": None}, {"a": 1}, {"a": None}),  # a null that is new in the manifest
        ({"a": None}, {"a": None}, {"a": 1}, {}),  # and one that was there before
    ],
)
def test_a_custom_resource_gets_a_json_merge_patch(
    last: Item, manifest: Item, live: Item, patch: Item
) -> None:
    assert merge_patch(last, manifest, live) == patch


LEAVES = st.sampled_from([1, 2, "x", True])
OBJECTS = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        LEAVES, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6
    ),
    max_size=3,
)
SERVICES = st.fixed_dictionaries(
    {
        "spec": st.fixed_dictionaries(
            {
                "ports": st.lists(
                    st.fixed_dictionaries(
                        {"port": st.sampled_from([1, 2, 3])}, optional={"name": st.sampled_from("ab")}
                    ),
                    unique_by=lambda one: one["port"],
                )
            },
            optional={"selector": OBJECTS, "ranges": st.lists(LEAVES, max_size=2)},
        )
    }
)


@given(last=SERVICES, manifest=SERVICES, live=SERVICES)
def test_after_a_strategic_patch_there_is_nothing_left_to_patch(
    last: Item, manifest: Item, live: Item
) -> None:
    patched = merged("Service", live, strategic_patch("Service", last, manifest, live))
    again = strategic_patch("Service", manifest, manifest, patched)
    assert merged("Service", patched, again) == patched


@given(manifest=SERVICES, live=SERVICES)
def test_what_nobody_else_changed_becomes_what_the_manifest_says(manifest: Item, live: Item) -> None:
    patched = merged("Service", live, strategic_patch("Service", live, manifest, live))
    assert patched == manifest


@given(last=OBJECTS, manifest=OBJECTS, live=OBJECTS)
def test_after_a_merge_patch_there_is_nothing_left_to_patch(last: Item, manifest: Item, live: Item) -> None:
    patched = json_merge.merged(live, merge_patch(last, manifest, live))
    assert merge_patch(manifest, manifest, patched) == {}


@given(last=OBJECTS, live=OBJECTS)
def test_what_the_last_manifest_never_had_stays(last: Item, live: Item) -> None:
    patched = json_merge.merged(live, merge_patch(last, {}, live))
    assert patched == {key: value for key, value in live.items() if key not in last}
