"""What a client gets to see."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clock import Clock
from testbed.kubernetes.api.lists import Page
from testbed.kubernetes.api.rendering import Renderer, View
from tests.kubernetes.api.calls import resource

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
ITEM: dict[str, Any] = {
    "kind": "Service",
    "apiVersion": "v1",
    "metadata": {"name": "web", "resourceVersion": "7"},
}


@pytest.mark.parametrize(
    ("accept", "view"),
    [
        ("", View("Object")),
        ("*/*", View("Object")),
        ("application/yaml", View("Object", is_yaml=True)),
        (f"{TABLE},application/json", View("Table")),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", View("Object")),
        ("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", View("Metadata")),
        ("application/vnd.kubernetes.protobuf, application/json", View("Object")),
        ("text/html", None),
    ],
)
def test_the_first_form_that_can_be_served_is_taken(accept: str, view: View | None) -> None:
    assert View.of(accept) == view


def test_a_parameter_says_what_rows_hold() -> None:
    assert View.of(TABLE, "Object") == View("Table", "Object")


def test_a_status_is_shown_as_it_is() -> None:
    status = {"kind": "Status", "status": "Success"}
    assert Renderer(Clock()).one(resource("Service"), status, View("Table")) is status


def test_an_object_is_shown_whole_as_metadata_or_as_a_table() -> None:
    renderer = Renderer(Clock())
    assert renderer.one(resource("Service"), ITEM, View("Object")) == ITEM
    assert renderer.one(resource("Service"), ITEM, View("Metadata"))["kind"] == "PartialObjectMetadata"
    table = renderer.one(resource("Service"), ITEM, View("Table"))
    assert table["metadata"] == {"resourceVersion": "7"}


@pytest.mark.parametrize(
    ("form", "kind"),
    [("Object", "ServiceList"), ("Metadata", "PartialObjectMetadataList"), ("Table", "Table")],
)
def test_a_list_has_the_form_and_the_metadata_of_its_page(form: str, kind: str) -> None:
    page = Page([ITEM], {"resourceVersion": "9"})
    found = Renderer(Clock()).page(resource("Service"), page, View(form))
    assert found["kind"] == kind
    assert found["metadata"] == {"resourceVersion": "9"}
    assert len(found.get("items") or found["rows"]) == 1


def test_events_have_wall_time_because_kubectl_reckons_their_age() -> None:
    clock = Clock(speed=10, epoch=1_000_000.0)
    event = {
        "kind": "Event",
        "metadata": {"name": "e", "creationTimestamp": "1970-01-12T13:48:20Z"},
        "lastTimestamp": "1970-01-12T13:48:20Z",  # 100 s after the epoch
    }
    shown = Renderer(clock).one(resource("Event"), event, View("Object"))
    assert shown["lastTimestamp"] == "1970-01-12T13:46:50Z"
    assert shown["metadata"] == event["metadata"]
    assert Renderer(Clock()).one(resource("Event"), event, View("Object")) == event
