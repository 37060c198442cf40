"""Watch: the events of a resource as they happen, one JSON object a line.

Selectors choose among events, too: for the client, an object that no longer matches is DELETED, and one that
begins to match is ADDED. A bookmark names the revision up to which the client has seen everything.

Source: apiserver pkg/storage/cacher/cache_watcher.go and pkg/endpoints/handlers/watch.go.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from testbed.kubernetes.api import lists
from testbed.kubernetes.api.api_requests import Request
from testbed.kubernetes.api.rendering import Renderer, View
from testbed.kubernetes.api.statuses import Refused, bad_request, expired
from testbed.kubernetes.api.versioned_objects import outward
from testbed.kubernetes.api_errors import Expired
from testbed.kubernetes.object_store import ObjectStore
from testbed.kubernetes.object_watch import Change, Watch, WatchEvent
from testbed.settings import PATIENCE

Line = Mapping[str, Any]
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class WatchStream:
    """The lines of one watch. It belongs into the loop of the server."""

    def __init__(self, store: ObjectStore, renderer: Renderer, request: Request, view: View) -> None:
        self._store, self._renderer = store, renderer
        self._request, self._view = request, view
        self._matches = lists.predicate(request)
        self._bookmarks = request.flag("allowWatchBookmarks")
        self._streams_list = request.query.get("sendInitialEvents") == "true"
        if self._streams_list and not self._bookmarks:
            raise bad_request(
                "sendInitialEvents: Forbidden: sendInitialEvents requires allowWatchBookmarks to be true"
            )
        self._headers = True

    async def lines(self) -> AsyncIterator[Line]:
        """Yield events until the client's timeout, if any; the last line is an ERROR if it must end."""
        seconds = self._request.query.get("timeoutSeconds", "")
        loop = asyncio.get_running_loop()
        end = loop.time() + float(seconds) if seconds.isdigit() else None
        written = asyncio.Event()
        since = lists.revision_of(self._request.query.get("resourceVersion", ""))
        try:
            # The writing thread wakes it: a loop that waited in `Watch.get` could serve nothing else.
            seen, watch = self._open(since, lambda: loop.call_soon_threadsafe(written.set))
        except Expired:
            yield _error(expired(since or 0))
            return
        except Refused as error:
            yield _error(error)
            return
        with watch:
            while event := watch.get(0):
                if line := self._line(event):
                    yield line
            if self._streams_list:
                yield self._bookmark(seen, {INITIAL_EVENTS_END: "true"})
            while True:
                left = PATIENCE.bookmark if end is None else min(PATIENCE.bookmark, end - loop.time())
                if left <= 0:
                    return
                try:
                    await asyncio.wait_for(written.wait(), left)
                except TimeoutError:
                    if self._bookmarks:
                        yield self._bookmark(seen, {})
                    continue
                written.clear()
                while event := watch.get(0):
                    seen = event.revision
                    if line := self._line(event):
                        yield line

    def _open(self, since: int | None, wake: Any) -> tuple[int, Watch]:
        with self._store.transaction():
            revision = self._store.revision
            if since is not None and since > revision:
                raise lists.too_large(since, revision)
            if self._streams_list:
                since = None
            return revision, self._store.watch([self._request.resource.stored_kind], since, wake)

    def _line(self, event: WatchEvent) -> Line | None:
        known = event.previous is not None and self._matches(event.previous)
        matches = event.type != Change.DELETED and self._matches(event.object)
        if not known and not matches:
            return None
        if known and not matches:
            kind, item = Change.DELETED, event.object
            # As it was when it still matched, but with the new revision: clients resume from it.
            if event.type != Change.DELETED:
                version = event.object["metadata"]["resourceVersion"]
                before = event.previous or {}
                item = {**before, "metadata": {**before["metadata"], "resourceVersion": version}}
        else:
            kind, item = (Change.MODIFIED if known else Change.ADDED), event.object
        return {"type": kind.value, "object": self._shown(item)}

    def _shown(self, item: Mapping[str, Any]) -> Any:
        resource = self._request.resource
        shown = self._renderer.one(resource, outward(resource, item), self._view, headers=self._headers)
        # kubectl prints the heading once a watch, so only the first table carries the columns.
        self._headers = False
        return shown

    def _bookmark(self, revision: int, annotations: Mapping[str, str]) -> Line:
        resource = self._request.resource
        metadata: dict[str, Any] = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = dict(annotations)
        bare = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if self._view.form == "Table":
            table = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "columnDefinitions": None}
            row = {
                "cells": [],
                "object": {**bare, "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"},
            }
            return {"type": "BOOKMARK", "object": {**table, "metadata": metadata, "rows": [row]}}
        if self._view.form == "Metadata":
            bare |= {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
        return {"type": "BOOKMARK", "object": bare}


def _error(refused: Refused) -> Line:
    return {"type": "ERROR", "object": refused.status}
