from __future__ import annotations

from typing import Any

import pytest

from testbed.kubernetes.api.selectors import by_fields, by_labels, is_field_served
from testbed.kubernetes.api.statuses import Refused


def item(**labels: str) -> dict[str, Any]:
    return {"metadata": {"name": "envoy", "labels": labels}, "spec": {"unschedulable": True}}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=envoy", True),
        ("app==envoy", True),
        ("app=other", False),
        ("app!=other", True),
        ("missing!=other", True),
        ("app", True),
        ("!app", False),
        ("!missing", True),
        ("app in (a, envoy)", True),
        ("app notin (a,envoy)", False),
        ("missing notin (a)", True),
        ("app=envoy,tier in (x,y),!gone", True),
        ("app=envoy,tier=y", False),
        ("empty=", True),
    ],
)
def test_labels_are_selected(text: str, matches: bool) -> None:
    assert by_labels(text)(item(app="envoy", tier="x", empty="")) is matches


@pytest.mark.parametrize("text", ["a b", "a in b", "=x", "a=b c", "a in (b", "!"])
def test_a_label_selector_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        by_labels(text)
    assert refusal.value.code == 400


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("metadata.name=envoy", True),
        ("metadata.name!=envoy", False),
        ("metadata.name==envoy,spec.unschedulable=true", True),
        ("spec.nothing=", True),
    ],
)
def test_fields_are_selected(text: str, matches: bool) -> None:
    assert by_fields(text)(item()) is matches


def test_a_field_that_the_api_does_not_select_by_is_refused() -> None:
    assert is_field_served("Pod", "spec.nodeName")
    with pytest.raises(Refused, match=r"field label not supported: spec\.image"):
        by_fields("spec.image=x", lambda field: is_field_served("Pod", field))
