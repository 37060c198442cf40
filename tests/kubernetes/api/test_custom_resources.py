"""The status of definitions of custom resources."""

from __future__ import annotations

from testbed.kubernetes.api.custom_resources import established
from tests.kubernetes.api.test_api_resources import DEFINITION


def test_a_definition_is_served_as_soon_as_it_is_stored() -> None:
    status = established(DEFINITION, "2026-01-01T00:00:00Z")
    assert {one["type"]: one["status"] for one in status["conditions"]} == {
        "NamesAccepted": "True",
        "Established": "True",
    }
    assert status["acceptedNames"]["listKind"] == "WidgetList"
    assert status["acceptedNames"]["singular"] == "widget"
    assert status["storedVersions"] == ["v1"]


def test_a_definition_without_a_list_of_versions_stores_the_one_that_it_names() -> None:
    names = {"plural": "widgets", "kind": "Widget", "singular": "wdg"}
    status = established({"spec": {"version": "v1beta1", "names": names}}, "")
    assert status["storedVersions"] == ["v1beta1"]
    assert status["acceptedNames"]["singular"] == "wdg"
