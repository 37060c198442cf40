"""Frames as JSON, and the patches between them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes.merge_patch import merged
from testbed.live.frame import Column, Frame, Node, difference

VALUES = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@given(OBJECTS, OBJECTS)
def test_a_patch_makes_the_second_of_the_first(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert merged(before, difference(before, after)) == after


@given(OBJECTS)
def test_what_did_not_change_is_in_no_patch(one: dict[str, Any]) -> None:
    assert difference(one, one) == {}


def test_a_frame_is_objects_of_json() -> None:
    plain = Frame(nodes={"client:a": Node(Column.CLIENT, "a")}).plain()
    assert plain["nodes"] == {
        "client:a": {"column": "client", "label": "a", "note": "", "state": "", "tone": ""}
    }
    assert plain["verdict"]["standing"] == "open"
