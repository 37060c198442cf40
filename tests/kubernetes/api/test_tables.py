"""Tables, and the JSON paths of custom columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from testbed.kubernetes.api.api_resources import custom_resources
from testbed.kubernetes.api.tables import look_up, partial, table
from tests.kubernetes.api.calls import resource
from tests.kubernetes.api.test_api_resources import DEFINITION

ITEM = {"kind": "Service", "metadata": {"name": "web", "uid": "1"}, "spec": {"type": "ClusterIP"}}


def test_a_row_holds_what_the_client_asks_for_of_its_object() -> None:
    def embedded(include: str) -> Any:
        return table(resource("Service"), [ITEM], 0, include=include)["rows"][0].get("object")

    assert embedded("None") is None
    assert (
        embedded("Metadata")
        == partial(ITEM)
        == {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": ITEM["metadata"],
        }
    )
    assert embedded("Object") == ITEM


def test_only_the_first_table_of_a_watch_defines_its_columns() -> None:
    first = table(resource("Service"), [ITEM], 0)
    assert [column["name"] for column in first["columnDefinitions"]][:2] == ["Name", "Type"]
    assert first["columnDefinitions"][-1]["priority"] == 1
    assert table(resource("Service"), [ITEM], 0, headers=False)["columnDefinitions"] is None


def test_a_custom_resource_has_the_columns_of_its_definition() -> None:
    widget = next(custom_resources(DEFINITION))
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Old", "type": "string", "JSONPath": ".spec.old", "priority": 1},
    ]
    item = {"metadata": {"name": "w", "creationTimestamp": "1970-01-01T00:00:00Z"}, "spec": {"size": 3}}
    found = table(replace(widget, columns=columns), [item], 60.0)
    assert found["rows"][0]["cells"] == ["w", 3, "60s", None]
    assert [one["priority"] for one in found["columnDefinitions"]] == [0, 0, 0, 1]
    assert [one["name"] for one in table(widget, [item], 60.0)["columnDefinitions"]] == ["Name", "Age"]


ORDER = {
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Done", "status": "False"}],
        "names": ["a", "b"],
    },
    "metadata": {"labels": {"example.com/tier": "front"}},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ('.status.conditions[?(@.type=="Ready")].status', "True"),
        (".status.conditions[?(@.type=='Done')].status", "False"),
        (".status.names[1]", "b"),
        (".status.names[*]", "a,b"),
        (".status.names[7]", None),
        (".metadata.labels['example.com/tier']", "front"),
        (r".metadata.labels.example\.com/tier", "front"),
        (".status.absent.deeper", None),
        (".status.names.deeper", None),
        (".metadata.labels.example.com/tier", None),
        (".status.conditions[0:1]", None),
        ("", ORDER),
    ],
)
def test_a_path_finds_its_value_or_nothing(path: str, value: Any) -> None:
    assert look_up(ORDER, path) == value


def test_a_dot_in_a_name_is_escaped() -> None:
    assert look_up({"a.b": {"c": 1}}, r".a\.b.c") == 1
