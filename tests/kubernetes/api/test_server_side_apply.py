"""Apply, and who owns what; the conversations with kubectl are in `test_server.py`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes.api.api_resources import BUILT_IN
from testbed.kubernetes.api.managed_fields import from_fields, leaves, to_fields
from testbed.kubernetes.api.server_side_apply import (
    APPLY,
    UPDATE,
    Manager,
    Ownership,
    after_update,
    applied,
)
from testbed.kubernetes.api.statuses import Refused

SERVICE = next(one for one in BUILT_IN if one.kind == "Service")
ME, YOU = (Manager(name, APPLY, "v1", "2026-01-01T00:00:00Z") for name in ("me", "you"))
EDITOR = Manager("editor", UPDATE, "v1", "2026-01-01T00:00:00Z")


def apply(
    old: dict[str, Any], wanted: dict[str, Any], who: Manager, *, force: bool = False
) -> dict[str, Any]:
    new, ownership = applied(SERVICE, old, {"metadata": {}, **wanted}, who, force=force)
    metadata = {key: value for key, value in new["metadata"].items() if key != "managedFields"}
    return {**new, "metadata": {**metadata, "managedFields": ownership.to_json()}}


def first(wanted: dict[str, Any]) -> dict[str, Any]:
    return apply({"metadata": {}}, wanted, ME, force=True)


def test_what_a_manager_names_no_more_goes() -> None:
    old = first({"spec": {"type": "LoadBalancer", "externalName": "x"}})
    assert apply(old, {"spec": {"type": "LoadBalancer"}}, ME)["spec"] == {"type": "LoadBalancer"}


def test_what_another_one_owns_too_stays() -> None:
    shared = apply(first({"spec": {"type": "LoadBalancer"}}), {"spec": {"type": "LoadBalancer"}}, YOU)
    left = apply(shared, {}, ME)
    assert left["spec"] == {"type": "LoadBalancer"}
    assert [entry["manager"] for entry in left["metadata"]["managedFields"]] == ["you"]


def test_another_value_is_a_conflict_until_it_is_forced() -> None:
    old = first({"spec": {"type": "LoadBalancer"}})
    with pytest.raises(Refused, match=r'Apply failed with 1 conflict: conflict with "me": \.spec\.type'):
        apply(old, {"spec": {"type": "ClusterIP"}}, YOU)
    new = apply(old, {"spec": {"type": "ClusterIP"}}, YOU, force=True)
    assert new["spec"] == {"type": "ClusterIP"}
    assert [entry["manager"] for entry in new["metadata"]["managedFields"]] == ["you"]


def test_an_edit_takes_over_what_it_changed() -> None:
    old = first({"spec": {"type": "LoadBalancer", "externalName": "x"}})
    new = {**old, "spec": {"type": "ClusterIP", "externalName": "x"}}
    ownership = after_update("Service", old, new, EDITOR)
    assert ownership.fields(EDITOR) == {("f:spec", "f:type")}
    assert ownership.fields(ME) == {("f:spec", "f:externalName")}
    with pytest.raises(Refused, match='conflict with "editor" using v1'):
        apply({**new, "metadata": {"managedFields": ownership.to_json()}}, {"spec": {"type": "NodePort"}}, ME)


def test_what_stood_before_anybody_kept_book_is_not_taken_silently() -> None:
    old = {"metadata": {}, "spec": {"type": "LoadBalancer"}}
    with pytest.raises(Refused, match='conflict with "before-first-apply"'):
        apply(old, {"spec": {"type": "ClusterIP"}}, ME)


def test_entries_of_a_list_are_owned_by_their_key() -> None:
    old = first({"spec": {"ports": [{"port": 443, "targetPort": 1}]}})
    both = apply(old, {"spec": {"ports": [{"port": 80}]}}, YOU)
    assert [port["port"] for port in both["spec"]["ports"]] == [80, 443]
    left = apply(both, {"spec": {"ports": []}}, ME)
    assert left["spec"]["ports"] == [{"port": 80}]


KEYS = st.sampled_from("xyz")
VALUES = st.recursive(
    st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=2),
    lambda one: st.dictionaries(KEYS, one, min_size=1, max_size=2),
    max_leaves=6,
)
SPECS = st.dictionaries(KEYS, VALUES, max_size=3)


@given(SPECS)
def test_fields_survive_being_written_down(spec: dict[str, Any]) -> None:
    owned = frozenset(leaves("Service", {"spec": spec}))
    assert from_fields(to_fields(owned)) == owned


@given(SPECS, SPECS)
def test_applying_twice_is_applying_once(before: dict[str, Any], spec: dict[str, Any]) -> None:
    once = apply(first({"spec": before}), {"spec": spec}, ME)
    assert apply(once, {"spec": spec}, ME) == once


@given(SPECS)
def test_who_applies_alone_gets_what_the_manifest_says(spec: dict[str, Any]) -> None:
    assert (first({"spec": spec}).get("spec") or {}) == spec
    assert Ownership.of(first({"spec": spec})).fields(ME) == frozenset(leaves("Service", {"spec": spec}))
