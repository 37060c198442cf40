"""The lines of a watch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from testbed.kubernetes.api.dispatch import Call
from testbed.kubernetes.api.statuses import Refused
from testbed.kubernetes.api.watch_streams import INITIAL_EVENTS_END
from tests.kubernetes.api.calls import DEFAULT, Api
from tests.kubernetes.manifests_of_the_story import service

PATH = f"{DEFAULT}/services"


def lines(api: Api, act: Callable[[], object] = lambda: None, **query: str) -> list[Any]:
    """All lines of a watch of a second, during which something is done."""

    async def follow() -> list[Any]:
        stream = api.dispatch.watch(Call("GET", PATH, {"watch": "1", "timeoutSeconds": "1", **query}))
        assert stream
        asyncio.get_running_loop().call_soon(act)
        return [line async for line in stream.lines()]

    return asyncio.run(follow())


def types(found: list[Any]) -> list[str]:
    return [line["type"] for line in found]


def test_what_stands_is_delivered_first_and_changes_follow(api: Api) -> None:
    api.store.create(service("a"))

    def act() -> None:
        api.store.patch("Service", None, "a", {"metadata": {"annotations": {"x": "1"}}})
        api.store.delete("Service", None, "a")

    assert types(lines(api, act)) == ["ADDED", "MODIFIED", "DELETED"]


def test_an_object_comes_and_leaves_as_its_labels_match(api: Api) -> None:
    api.store.create(service("a"))

    def act() -> None:
        for tier in ("front", "front", "back"):
            api.store.patch("Service", None, "a", {"metadata": {"labels": {"tier": tier}}})
            api.store.patch("Service", None, "a", {"metadata": {"annotations": {"seen": tier}}})

    found = lines(api, act, labelSelector="tier=front")
    assert types(found) == ["ADDED", "MODIFIED", "DELETED"]
    assert found[-1]["object"]["metadata"]["labels"] == {"tier": "front"}


def test_a_watch_goes_on_from_a_revision(api: Api) -> None:
    api.store.create(service("a"))
    since = str(api.store.revision)
    api.store.create(service("b"))
    (line,) = lines(api, resourceVersion=since)
    assert (line["type"], line["object"]["metadata"]["name"]) == ("ADDED", "b")


def test_a_revision_that_is_forgotten_or_yet_to_come_is_an_error(api: Api) -> None:
    for number in range(5000):
        api.store.put(service("a", annotations={"number": str(number)}))
    assert [line["object"]["reason"] for line in lines(api, resourceVersion="1")] == ["Expired"]
    assert [line["object"]["reason"] for line in lines(api, resourceVersion="9999")] == ["Timeout"]


def test_initial_events_end_with_a_bookmark(api: Api) -> None:
    api.store.create(service("a"))
    found = lines(api, sendInitialEvents="true", allowWatchBookmarks="true")
    assert types(found)[:2] == ["ADDED", "BOOKMARK"]
    assert found[1]["object"]["metadata"]["annotations"] == {INITIAL_EVENTS_END: "true"}
    with pytest.raises(Refused, match="requires allowWatchBookmarks"):
        lines(api, sendInitialEvents="true")
