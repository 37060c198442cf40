from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes.api.statuses import Refused
from testbed.kubernetes.api.strategic_merge import merged

PORTS = [{"port": 443, "name": "https", "targetPort": 1}, {"port": 80, "name": "http", "targetPort": 2}]
SERVICE: dict[str, Any] = {
    "metadata": {"finalizers": ["a", "b"], "annotations": {"x": "1"}},
    "spec": {"type": "LoadBalancer", "ports": PORTS, "externalIPs": ["10.0.0.1"]},
}


def ports(patch: Any) -> list[Any]:
    found = merged("Service", SERVICE, {"spec": patch})["spec"]["ports"]
    assert isinstance(found, list)
    return found


def test_an_entry_is_merged_by_its_key_and_a_new_one_is_added() -> None:
    assert ports({"ports": [{"port": 443, "targetPort": 9}]}) == [{**PORTS[0], "targetPort": 9}, PORTS[1]]
    assert ports({"ports": [{"port": 22}]}) == [*PORTS, {"port": 22}]


def test_an_entry_can_be_taken_away_and_a_list_replaced() -> None:
    assert ports({"ports": [{"$patch": "delete", "port": 443}]}) == [PORTS[1]]
    assert ports({"ports": [{"$patch": "replace"}, {"port": 22}]}) == [{"port": 22}]


def test_the_order_that_is_asked_for_is_kept() -> None:
    order = [{"port": 80}, {"port": 22}, {"port": 443}]
    found = ports({"$setElementOrder/ports": order, "ports": [{"port": 22}]})
    assert [port["port"] for port in found] == [80, 22, 443]


def test_a_list_without_a_key_is_one_value() -> None:
    found = merged("Service", SERVICE, {"spec": {"externalIPs": ["10.0.0.2"]}})
    assert found["spec"]["externalIPs"] == ["10.0.0.2"]


def test_plain_values_are_added_and_taken_away() -> None:
    assert merged("Service", SERVICE, {"metadata": {"finalizers": ["c", "a"]}})["metadata"]["finalizers"] == [
        "a",
        "b",
        "c",
    ]
    gone = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
    assert merged("Service", SERVICE, gone)["metadata"]["finalizers"] == ["b"]


def test_other_directives() -> None:
    retained = merged("Service", SERVICE, {"spec": {"$retainKeys": ["type"], "type": "ClusterIP"}})
    assert retained["spec"] == {"type": "ClusterIP"}
    replaced = merged("Service", SERVICE, {"metadata": {"annotations": {"$patch": "replace", "y": "2"}}})
    assert replaced["metadata"]["annotations"] == {"y": "2"}
    deleted = merged("Service", SERVICE, {"metadata": {"annotations": {"$patch": "delete"}}})
    assert "annotations" not in deleted["metadata"]


@pytest.mark.parametrize("patch", [{"$patch": "explode"}, {"spec": {"ports": [{"name": "x"}]}}])
def test_a_patch_that_cannot_be_read_is_refused(patch: Any) -> None:
    with pytest.raises(Refused) as refusal:
        merged("Service", SERVICE, patch)
    assert refusal.value.code == 400


KEYS = st.sampled_from("xyz")
VALUES = st.recursive(
    st.integers(0, 2) | st.text("ab", max_size=1),
    lambda one: st.dictionaries(KEYS, one, max_size=2),
    max_leaves=6,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=3)


@given(OBJECTS, OBJECTS)
def test_a_patch_twice_is_a_patch_once(target: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merged("Service", target, patch)
    assert merged("Service", once, patch) == once


@given(OBJECTS)
def test_an_empty_patch_changes_nothing(target: dict[str, Any]) -> None:
    assert merged("Service", target, {}) == target
