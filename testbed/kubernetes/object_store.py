"""The cluster's objects in memory, with the API's own rules: versions, finalizers, status apart, watches.

An object in the store never changes: each write makes a new one that shares the equal parts. So `list`
returns the stored objects without a copy, to be read only; `get` returns a copy, which the caller may edit.

A write that changes nothing makes no new version and no event, as in the real API.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from testbed.clock import Clock
from testbed.kubernetes.api_errors import AlreadyExists, Conflict, Expired, NotFound
from testbed.kubernetes.event_objects import event_about
from testbed.kubernetes.kinds import namespace_of
from testbed.kubernetes.merge_patch import merged
from testbed.kubernetes.object_fields import (
    Object,
    content,
    copied,
    identity,
    status_of,
    title,
    unversioned,
    with_fixed,
    without_status,
)
from testbed.kubernetes.object_watch import Change, Watch, WatchEvent
from testbed.kubernetes.rules import defaults

_Key = tuple[str, str]

WATCH_HISTORY = 4096
"""Events kept for watches that start at an older revision; the API server's cache keeps a few thousand."""
_SERVER_OWNED = (
    *("uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"),
    *("managedFields", "selfLink"),
)

Webhook = Callable[[Object, Object | None], None]
"""A validating admission webhook: takes the new object and the old, and raises `Denied` to refuse the new."""
Mutator = Callable[[Object, Object | None], Object]
"""A mutating admission webhook: takes the new object and the old, and returns the new one as it goes on."""


@dataclass(frozen=True, slots=True)
class WebhookServer:
    """Where the admission webhooks behind a Service are answered.

    Attributes:
        address, port: where it listens.
        host: the name in its certificate.
        authority: PEM of what issued that.
    """

    address: str
    port: int
    host: str
    authority: str


@dataclass(frozen=True, slots=True)
class LoggedLine:
    """A line of a container's log; `time` is production time, RFC 3339."""

    time: str
    text: str


class ObjectStore:
    """All objects of a run by kind, namespace and name. Every method may be called from any thread.

    Times are production times of `clock`; UIDs and allocations come from `seed`.

    Attributes:
        mutators: called, in order, before `webhooks`; see `Mutator`.
        webhooks: called, in order, for each object that is created or replaced; see `Webhook`.
        webhook_servers: servers of other programs, by namespace and name of the Service that a webhook
            configuration in the cluster names; the API asks them, not the store.
        logs: what the containers of an image have logged, by its name without registry and tag.
    """

    def __init__(self, clock: Clock | None = None, *, seed: int = 0) -> None:
        self.mutators: list[Mutator] = []
        self.webhooks: list[Webhook] = []
        self.logs: dict[str, list[LoggedLine]] = {}
        self.webhook_servers: dict[tuple[str, str], WebhookServer] = {}
        self._clock = clock or Clock()
        self._random = random.Random(seed)  # noqa: S311 reproducible on purpose
        self._objects: dict[str, dict[_Key, Object]] = {}
        self._node_ports: set[int] = set()
        self._revision = 0
        # Reentrant, because a transaction of the API calls the same methods that lock by themselves.
        self._changed = threading.Condition(threading.RLock())
        self._history: deque[WatchEvent] = deque(maxlen=WATCH_HISTORY)
        self._watches: list[Watch] = []

    # --- reading -----------------------------------------------------------------------------------

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """Return a copy of the object, or None. `namespace` is ignored for cluster-wide kinds."""
        with self._changed:
            stored = self._find(kind, namespace, name)
        return stored and copied(stored)

    def list(self, kind: str, namespace: str | None = None) -> list[Object]:
        """Return the objects of a kind by namespace and name; all namespaces for None. To be read only."""
        with self._changed:
            # Only the dictionary is copied under the lock; the objects never change.
            items = sorted(self._objects.get(kind, {}).items())
        return [item for key, item in items if namespace is None or key[0] == namespace]

    def list_all(self) -> Iterable[Object]:
        """Return every object of every kind. To be read only."""
        with self._changed:
            return [item for kind in self._objects.values() for item in kind.values()]

    def list_at(self, kind: str, revision: int) -> Sequence[Object]:
        """Return the objects of a kind as they were at a revision, by namespace and name. To be read only.

        Raises:
            Expired: the history no longer reaches back to `revision`.
        """
        with self._changed:
            self._must_remember(revision)
            items = dict(self._objects.get(kind, {}))
            # Undo the writes from the newest back: the store keeps no old versions but those in its events.
            for event in reversed(self._history):
                if event.revision <= revision:
                    break
                if event.object["kind"] != kind:
                    continue
                _, namespace, name = identity(event.object)
                if event.previous is None:
                    items.pop((namespace, name), None)
                else:
                    items[namespace, name] = event.previous
        return [item for _, item in sorted(items.items())]

    @property
    def revision(self) -> int:
        """The number of the latest write."""
        return self._revision

    def transaction(self) -> AbstractContextManager[object]:
        """Return a context for reads and writes that no other thread comes between."""
        return self._changed

    def wait(self, since: int, wall_seconds: float) -> int:
        """Wait for a write after revision `since`; return the revision then, or at the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._revision > since, wall_seconds)
            return self._revision

    def watch(
        self, kinds: Iterable[str], since: int | None = None, wake: Callable[[], None] = lambda: None
    ) -> Watch:
        """Follow the objects of some kinds, without a gap.

        Without `since`, every object that exists is delivered first, as ADDED; with it, the writes after that
        revision. The writing thread calls `wake` for each later event: it must not block, and is for
        consumers that cannot wait in `Watch.get`.

        Raises:
            Expired: the history no longer reaches back to `since`.
        """
        watched = frozenset(kinds)
        with self._changed:
            if since is None:
                first = [
                    WatchEvent(Change.ADDED, item, self._revision)
                    for kind in sorted(watched)
                    for _, item in sorted(self._objects.get(kind, {}).items())
                ]
            else:
                self._must_remember(since)
                first = [
                    event
                    for event in self._history
                    if event.revision > since and event.object["kind"] in watched
                ]
            watch = Watch(watched, first, self._forget, wake)
            self._watches.append(watch)
            return watch

    # --- writing -----------------------------------------------------------------------------------

    def create(
        self,
        item: Mapping[str, Any],
        *,
        managed: Iterable[Mapping[str, Any]] = (),
        status: Mapping[str, Any] | None = None,
        dry_run: bool = False,
    ) -> Object:
        """Store a new object. Its status is dropped, as the API drops it: see `update_status`.

        Args:
            item: the object.
            managed: its `managedFields`, which only the API server may set.
            status: its first status, which comes from the API server too.
            dry_run: True to check and fill in everything, and store nothing.

        Raises:
            AlreadyExists: there is an object of this kind and name.
            Invalid: no kind or name.
        """
        return self._create(item, restored=False, managed=tuple(managed), status=status, dry_run=dry_run)

    def restore(self, item: Mapping[str, Any]) -> Object:
        """Store a new object as it was read from a cluster, with its status and without defaults.

        Raises:
            AlreadyExists, Invalid: as `create`.
        """
        return self._create(item, restored=True)

    def replace(self, item: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """Replace a whole object, its status and managed fields too: only the API knows what may change.

        Raises:
            NotFound: no such object.
        """
        new = copied(item)
        with self._changed:
            old = self._must_find(*identity(new))
            fixed = [field for field in _SERVER_OWNED if field != "managedFields"]
            metadata = with_fixed(new["metadata"], old["metadata"], fixed)
            return self._replace(old, {**new, "metadata": metadata}, dry_run=dry_run)

    def put(self, item: Mapping[str, Any]) -> Object:
        """Create the object, or replace its content: the way a controller writes what it owns.

        The status and the allocated ports stay, and so does each field of the metadata that `item` does not
        name. What only the API server sets is ignored in `item`. `kubectl apply` is another thing: see
        `testbed.kubernetes.client`.
        """
        new = copied(item)
        with self._changed:
            old = self._find(*identity(new))
            if old is None:
                return self._create(new, restored=False)
            named = {key: value for key, value in new["metadata"].items() if key not in _SERVER_OWNED}
            # A controller names its own fields only; annotations and finalizers of others must survive.
            metadata = {**old["metadata"], **named}
            return self._replace(old, {**without_status(new), "metadata": metadata, **status_of(old)})

    def patch(self, kind: str, namespace: str | None, name: str, patch: Mapping[str, Any]) -> Object:
        """Merge a JSON merge patch (RFC 7386) into an object, status and finalizers included.

        Raises:
            NotFound: no such object.
            Conflict: the patch names a resourceVersion other than the stored one.
        """
        with self._changed:
            old = self._must_find(kind, namespace, name)
            _must_be_current(old, patch.get("metadata") or {})
            new = merged(old, copied(patch))
            fixed = ("name", "namespace", *_SERVER_OWNED)
            metadata = with_fixed(new.get("metadata") or {}, old["metadata"], fixed)
            return self._replace(old, {**new, "kind": old["kind"], "metadata": metadata})

    def update_status(self, kind: str, namespace: str | None, name: str, status: Mapping[str, Any]) -> Object:
        """Replace the status of an object and nothing else.

        Raises:
            NotFound: no such object.
        """
        with self._changed:
            old = self._must_find(kind, namespace, name)
            return self._replace(old, {**old, "status": copied(status)})

    def delete(self, kind: str, namespace: str | None, name: str) -> None:
        """Delete an object: at once, or when its last finalizer is removed.

        Raises:
            NotFound: no such object.
        """
        with self._changed:
            old = self._must_find(kind, namespace, name)
            if not old["metadata"].get("finalizers"):
                self._remove(old)
            elif not old["metadata"].get("deletionTimestamp"):
                stamp = {"deletionTimestamp": self._clock.rfc3339(), "deletionGracePeriodSeconds": 0}
                self._replace(old, {**old, "metadata": {**old["metadata"], **stamp}})

    def record_event(
        self,
        item: Mapping[str, Any],
        type: str,  # noqa: A002 the field's own name
        reason: str,
        message: str,
        component: str = "testbed",
    ) -> Object:
        """Record an Event about an object (see `event_about`); an equal event counts up instead."""
        event = event_about(item, type, reason, message, component, self._clock.rfc3339())
        metadata = event["metadata"]
        with self._changed:
            old = self._find("Event", metadata["namespace"], metadata["name"])
            if old is None:
                return self._create(event, restored=False)
            again = {"count": old["count"] + 1, "lastTimestamp": event["lastTimestamp"]}
            return self._replace(old, {**old, **again})

    def record_log(self, image: str, text: str) -> None:
        """Record a line that a container of an image has written; `image` is without registry and tag."""
        self.logs.setdefault(image, []).append(LoggedLine(self._clock.rfc3339(), text))

    # --- with the lock held ------------------------------------------------------------------------

    def _find(self, kind: str, namespace: str | None, name: str) -> Object | None:
        return self._objects.get(kind, {}).get((namespace_of(kind, namespace), name))

    def _must_find(self, kind: str, namespace: str | None, name: str) -> Object:
        stored = self._find(kind, namespace, name)
        if stored is None:
            place = f" in namespace {namespace_of(kind, namespace)}" if namespace_of(kind, namespace) else ""
            raise NotFound(f"there is no {kind} {name}{place}")
        return stored

    def _must_remember(self, revision: int) -> None:
        oldest = self._history[0].revision if self._history else self._revision + 1
        if revision + 1 < oldest:
            raise Expired(f"too old resource version: {revision} ({oldest - 1})")

    def _create(
        self,
        item: Mapping[str, Any],
        *,
        restored: bool,
        managed: tuple[Mapping[str, Any], ...] = (),
        status: Mapping[str, Any] | None = None,
        dry_run: bool = False,
    ) -> Object:
        new = copied(item)
        kind, namespace, name = identity(new)
        with self._changed:
            if self._find(kind, namespace, name) is not None:
                raise AlreadyExists(f"{title(new)} already exists")
            sent = new["metadata"]
            metadata = {
                **{key: value for key, value in sent.items() if key not in _SERVER_OWNED},
                **({"namespace": namespace} if namespace else {}),
                "uid": str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
                "creationTimestamp": self._clock.rfc3339(),
                "generation": 1,
                **({"managedFields": list(managed)} if managed else {}),
            }
            if restored:
                metadata.update({key: sent[key] for key in _SERVER_OWNED if key in sent})
                return self._store(Change.ADDED, defaults.converted({**new, "metadata": metadata}))
            first = {"status": copied(status)} if status else {}
            admitted = self._admit({**without_status(new), "metadata": metadata, **first}, None)
            return admitted if dry_run else self._store(Change.ADDED, admitted)

    def _replace(self, old: Object, new: Object, *, dry_run: bool = False) -> Object:
        admitted = self._admit(new, old)
        if unversioned(admitted) == unversioned(old):
            return old
        if content(admitted) != content(old):
            generation = old["metadata"].get("generation", 1) + 1
            admitted = {**admitted, "metadata": {**admitted["metadata"], "generation": generation}}
        metadata = admitted["metadata"]
        if dry_run:
            return admitted
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            return self._remove(admitted)
        return self._store(Change.MODIFIED, admitted)

    def _admit(self, item: Object, old: Object | None) -> Object:
        for mutate in self.mutators:
            item = mutate(item, old)
        admitted = defaults.admit(item, old, self._node_ports, self._random)
        for webhook in self.webhooks:
            webhook(admitted, old)
        return admitted

    def _store(self, change: Change, item: Object) -> Object:
        kind, namespace, name = identity(item)
        self._revision += 1
        metadata = {**item["metadata"], "resourceVersion": str(self._revision)}
        stored = {**item, "metadata": metadata}
        of_kind = self._objects.setdefault(kind, {})
        previous = of_kind.get((namespace, name))
        if kind == "Service":
            self._node_ports -= defaults.node_ports(previous or {})
            self._node_ports |= defaults.node_ports(stored)
        of_kind[namespace, name] = stored
        self._notify(WatchEvent(change, stored, self._revision, previous))
        return stored

    def _remove(self, item: Object) -> Object:
        kind, namespace, name = identity(item)
        self._revision += 1
        last = {**item, "metadata": {**item["metadata"], "resourceVersion": str(self._revision)}}
        gone = self._objects[kind].pop((namespace, name))
        self._node_ports -= defaults.node_ports(gone)
        self._notify(WatchEvent(Change.DELETED, last, self._revision, gone))
        return last

    def _notify(self, event: WatchEvent) -> None:
        self._history.append(event)
        for watch in self._watches:
            watch.offer(event)
        self._changed.notify_all()

    def _forget(self, watch: Watch) -> None:
        with self._changed:
            if watch in self._watches:
                self._watches.remove(watch)


def _must_be_current(old: Object, metadata: Mapping[str, Any]) -> None:
    version = metadata.get("resourceVersion")
    if version and version != old["metadata"]["resourceVersion"]:
        what = f"{title(old)}: the object has been modified since version {version}"
        raise Conflict(what, do="read it again and retry")
