"""The forms in which a client can get objects: whole, only their metadata, or as a table (Accept header).

The API serves events with wall time: kubectl computes their age itself, by the clock of this machine, and
production time is ahead of that. All other times are production time.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.clock import Clock
from testbed.kubernetes.api import tables
from testbed.kubernetes.api.api_resources import Resource
from testbed.kubernetes.api.lists import Page
from testbed.kubernetes.api.versioned_objects import outward

_EVENT_TIMES = ("firstTimestamp", "lastTimestamp")


@dataclass(frozen=True, slots=True)
class View:
    """The form of an answer: Object, Metadata or Table; `include` says what the rows of a table hold."""

    form: str
    include: str = "Metadata"
    is_yaml: bool = False

    @classmethod
    def of(cls, accept: str, include: str = "") -> View | None:
        """Return the first form in an Accept header that can be served, or None."""
        for part in accept.split(",") if accept.strip() else ["*/*"]:
            kind, *parameters = (word.strip() for word in part.split(";"))
            options = dict(word.partition("=")[::2] for word in parameters)
            # Go clients put protobuf first; they take the next form when the server does not speak it.
            if kind not in ("*/*", "application/*", "application/json", "application/yaml"):
                continue
            form = options.get("as", "")
            if re.fullmatch(r"PartialObjectMetadata(List)?", form):
                return cls("Metadata", is_yaml=kind.endswith("yaml"))
            if form == "Table" and options.get("v", "v1") == "v1":
                return cls("Table", include or "Metadata")
            if not form:
                return cls("Object", is_yaml=kind.endswith("yaml"))
        return None


class Renderer:
    """Renders stored objects for clients, by the clock of the run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def one(self, resource: Resource, item: Mapping[str, Any], view: View, *, headers: bool = True) -> Any:
        """Render an object in its client's version."""
        if item.get("kind") == "Status":
            return item
        if view.form == "Table":
            now = self._clock.now()
            table = tables.table(resource, [item], now, include=view.include, headers=headers)
            table["metadata"] = {"resourceVersion": item["metadata"].get("resourceVersion", "")}
            for row in table["rows"]:
                if "object" in row:
                    row["object"] = self._timed(resource, row["object"])
            return table
        if view.form == "Metadata":
            return tables.partial(item)
        return self._timed(resource, item)

    def page(self, resource: Resource, page: Page, view: View) -> Any:
        """Render a page of a list."""
        if view.form == "Table":
            items = [outward(resource, item) for item in page.items]
            return tables.table(
                resource, items, self._clock.now(), include=view.include, metadata=page.metadata
            )
        if view.form == "Metadata":
            return {
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": page.metadata,
                "items": [tables.partial(item) for item in page.items],
            }
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": page.metadata,
            "items": [self._timed(resource, outward(resource, item)) for item in page.items],
        }

    def _timed(self, resource: Resource, item: Mapping[str, Any]) -> Mapping[str, Any]:
        if resource.stored_kind != "Event" or self._clock.speed == 1:
            return item
        times = {key: self._wall(item[key]) for key in _EVENT_TIMES if item.get(key)}
        return {**item, **times}

    def _wall(self, production: str) -> str:
        moment = datetime.datetime.fromisoformat(production).timestamp()
        wall = self._clock.epoch + (moment - self._clock.epoch) / self._clock.speed
        return datetime.datetime.fromtimestamp(wall, tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
