"""The cluster's objects in memory, with the API's own rules: versions, finalizers, status apart, watches.

An object that is in the store is never changed: each write makes a new one that shares what stayed equal.
So `list` hands out the stored objects without a copy, to be read only; `get` gives a copy that the caller
may edit and send back with `update`.

A write that changes nothing makes no new version and no event, as in the real API.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from testbed.clock import Clock
from testbed.kubernetes import admission
from testbed.kubernetes.errors import AlreadyExists, Conflict, Expired, NotFound
from testbed.kubernetes.kinds import namespace_of
from testbed.kubernetes.last_applied import last_applied_metadata
from testbed.kubernetes.merge_patch import merged
from testbed.kubernetes.objects import (
    Object,
    content,
    copied,
    identity,
    status_of,
    title,
    unversioned,
    without_status,
)
from testbed.kubernetes.watch import Change, Watch, WatchEvent

_Key = tuple[str, str]

WATCH_HISTORY = 4096
"""Events kept for watches that start at an older revision; the API server's cache keeps a few thousand."""
_SERVER_OWNED = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "managedFields",
    "selfLink",
)


Webhook = Callable[[Object, Object | None], None]
"""A validating admission webhook: raises `Denied` for an object that it refuses; the old one comes second."""


class ObjectStore:
    """All objects of a run by kind, namespace and name. Every method may be called from any thread.

    Times are production times of `clock`; UIDs and allocations come from `seed`.

    Attributes:
        webhooks: asked, in order, about each object that is created or replaced; see `Webhook`.
    """

    def __init__(self, clock: Clock | None = None, *, seed: int = 0) -> None:
        self.webhooks: list[Webhook] = []
        self._clock = clock or Clock()
        self._random = random.Random(seed)  # noqa: S311 reproducible on purpose
        self._objects: dict[str, dict[_Key, Object]] = {}
        self._applied: dict[tuple[str, str, str], Mapping[str, Any]] = {}
        self._node_ports: set[int] = set()
        self._revision = 0
        self._changed = threading.Condition(threading.RLock())
        self._history: deque[WatchEvent] = deque(maxlen=WATCH_HISTORY)
        self._watches: list[Watch] = []

    # --- reading -----------------------------------------------------------------------------------

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """A copy of the object, or None. `namespace` is ignored for cluster-wide kinds."""
        with self._changed:
            found = self._find(kind, namespace, name)
        return copied(found) if found is not None else None

    def list(self, kind: str, namespace: str | None = None) -> list[Object]:
        """The objects of a kind by namespace and name; all namespaces for None. To be read only."""
        with self._changed:
            items = sorted(self._objects.get(kind, {}).items())
        return [item for key, item in items if namespace is None or key[0] == namespace]

    def list_all(self) -> Iterable[Object]:
        """Every object of every kind. To be read only."""
        with self._changed:
            return [item for kind in self._objects.values() for item in kind.values()]

    def list_at(self, kind: str, revision: int) -> Sequence[Object]:
        """The objects of a kind as they were at a revision, by namespace and name. To be read only.

        Raises:
            Expired: the history no longer reaches back to `revision`.
        """
        with self._changed:
            self._must_remember(revision)
            items = dict(self._objects.get(kind, {}))
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
        """A block of reads and writes that no other thread comes between."""
        return self._changed

    def wait(self, since: int, wall_seconds: float) -> int:
        """Wait until something was written after revision `since`; the revision then, or at the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._revision > since, wall_seconds)
            return self._revision

    def watch(
        self, kinds: Iterable[str], since: int | None = None, wake: Callable[[], None] = lambda: None
    ) -> Watch:
        """Follow the objects of some kinds, without a gap.

        Without `since`, every object that stands is delivered first, as ADDED; with it, what was written
        after that revision. `wake` is called by the writing thread for each event that comes later: it must
        not block, and is for consumers that cannot wait in `Watch.get`.

        Raises:
            Expired: the history no longer reaches back to `since`.
        """
        wanted = frozenset(kinds)
        with self._changed:
            if since is None:
                first = [
                    WatchEvent(Change.ADDED, item, self._revision)
                    for kind in sorted(wanted)
                    for _, item in sorted(self._objects.get(kind, {}).items())
                ]
            else:
                self._must_remember(since)
                first = [
                    event
                    for event in self._history
                    if event.revision > since and event.object["kind"] in wanted
                ]
            watch = Watch(wanted, first, self._forget, wake)
            self._watches.append(watch)
            return watch

    # --- writing -----------------------------------------------------------------------------------

    def create(
        self, item: Mapping[str, Any], *, managed: Iterable[Mapping[str, Any]] = (), dry_run: bool = False
    ) -> Object:
        """Store a new object. Its status is dropped, as the API drops it: see `update_status`.

        Args:
            item: the object.
            managed: its `managedFields`, which only the API server may set.
            dry_run: check and fill in all, and store nothing.

        Raises:
            AlreadyExists: there is one of this kind and name.
            Invalid: no kind or name.
        """
        return self._create(item, restored=False, managed=tuple(managed), dry_run=dry_run)

    def restore(self, item: Mapping[str, Any]) -> Object:
        """Store a new object as it was read from a cluster, with its status.

        Raises:
            AlreadyExists, Invalid: as `create`.
        """
        return self._create(item, restored=True)

    def update(self, item: Mapping[str, Any]) -> Object:
        """Replace all but the status of an object.

        Raises:
            NotFound: no such object.
            Conflict: `item` has a resourceVersion and it is not the stored one.
        """
        wanted = copied(item)
        with self._changed:
            old = self._must_find(*identity(wanted))
            given = wanted["metadata"].get("resourceVersion")
            if given and given != old["metadata"]["resourceVersion"]:
                raise Conflict(
                    f"{title(old)}: the object has been modified since version {given}",
                    do="read it again and retry",
                )
            metadata = {
                **{key: value for key, value in wanted["metadata"].items() if key not in _SERVER_OWNED},
                **{key: old["metadata"][key] for key in _SERVER_OWNED if key in old["metadata"]},
            }
            return self._replace(old, {**without_status(wanted), "metadata": metadata, **status_of(old)})

    def replace(self, item: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """Replace an object whole, its status and managed fields too: for who knows what may change.

        Raises:
            NotFound: no such object.
        """
        wanted = copied(item)
        with self._changed:
            old = self._must_find(*identity(wanted))
            fixed = [field for field in _SERVER_OWNED if field != "managedFields"]
            metadata = {
                **{key: value for key, value in wanted["metadata"].items() if key not in fixed},
                **{key: old["metadata"][key] for key in fixed if key in old["metadata"]},
            }
            return self._replace(old, {**wanted, "metadata": metadata}, dry_run=dry_run)

    def apply(self, item: Mapping[str, Any]) -> Object:
        """`kubectl apply`: create the object, or make it what the manifest says.

        Of an object that stands, the status, finalizers, owners and allocated ports stay, and so do labels
        and annotations that no earlier manifest had. What only the API server sets is ignored in `item`.
        """
        wanted = copied(item)
        kind, namespace, name = identity(wanted)
        given = wanted["metadata"]
        with self._changed:
            old = self._find(kind, namespace, name)
            told = last_applied_metadata(old) if old else None
            before = told if told is not None else self._applied.get((kind, namespace, name), {})
            self._applied[kind, namespace, name] = given
            if old is None:
                return self._create(wanted, restored=False)
            metadata = dict(old["metadata"])
            for field in ("labels", "annotations"):
                kept = {
                    key: value
                    for key, value in (metadata.pop(field, None) or {}).items()
                    if key not in (before.get(field) or {})
                }
                if both := {**kept, **(given.get(field) or {})}:
                    metadata[field] = both
            for field in ("finalizers", "ownerReferences"):
                if given.get(field):
                    metadata[field] = given[field]
            return self._replace(old, {**without_status(wanted), "metadata": metadata, **status_of(old)})

    def patch(self, kind: str, namespace: str | None, name: str, patch: Mapping[str, Any]) -> Object:
        """Merge a JSON merge patch (RFC 7386) into an object, status and finalizers included.

        Raises:
            NotFound: no such object.
            Conflict: the patch names a resourceVersion and it is not the stored one.
        """
        with self._changed:
            old = self._must_find(kind, namespace, name)
            given = ((patch.get("metadata") or {}) if isinstance(patch, Mapping) else {}).get(
                "resourceVersion"
            )
            if given and given != old["metadata"]["resourceVersion"]:
                raise Conflict(f"{title(old)}: the object has been modified since version {given}")
            new = merged(old, copied(patch))
            fixed = ("name", "namespace", *_SERVER_OWNED)
            metadata = {
                **{key: value for key, value in (new.get("metadata") or {}).items() if key not in fixed},
                **{key: old["metadata"][key] for key in fixed if key in old["metadata"]},
            }
            return self._replace(old, {**new, "kind": old["kind"], "metadata": metadata})

    def annotate(
        self, kind: str, namespace: str | None, name: str, annotations: Mapping[str, str | None]
    ) -> Object:
        """`kubectl annotate --overwrite`; None removes an annotation.

        Raises:
            NotFound: no such object.
        """
        return self.patch(kind, namespace, name, {"metadata": {"annotations": dict(annotations)}})

    def update_status(self, kind: str, namespace: str | None, name: str, status: Mapping[str, Any]) -> Object:
        """Replace the status of an object and nothing else.

        Raises:
            NotFound: no such object.
        """
        with self._changed:
            old = self._must_find(kind, namespace, name)
            return self._replace(old, {**old, "status": copied(status)})

    def delete(self, kind: str, namespace: str | None, name: str) -> None:
        """Delete an object: at once, or when its last finalizer is taken away.

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
        """Tell something of an object as an Event; one that was told before counts up instead.

        Args:
            item: the object it is about.
            type: `Normal` or `Warning`.
            reason: a CamelCase word.
            message: a sentence.
            component: who says it.
        """
        metadata = item["metadata"]
        namespace = metadata.get("namespace") or "default"
        about = {
            "apiVersion": item.get("apiVersion", ""),
            "kind": item["kind"],
            "name": metadata["name"],
            "namespace": metadata.get("namespace", ""),
            "uid": metadata.get("uid", ""),
        }
        # Client-go's recorder aggregates by exactly these fields (tools/record/events_cache.go).
        same = uuid.uuid5(uuid.NAMESPACE_OID, "\0".join((*about.values(), type, reason, message, component)))
        name = f"{metadata['name']}.{same.hex[:16]}"
        now = self._clock.rfc3339()
        with self._changed:
            old = self._find("Event", namespace, name)
            if old is not None:
                return self._replace(old, {**old, "count": old["count"] + 1, "lastTimestamp": now})
            return self._create(
                {
                    "apiVersion": "v1",
                    "kind": "Event",
                    "metadata": {"name": name, "namespace": namespace},
                    "involvedObject": about,
                    "type": type,
                    "reason": reason,
                    "message": message,
                    "source": {"component": component},
                    "firstTimestamp": now,
                    "lastTimestamp": now,
                    "count": 1,
                },
                restored=False,
            )

    # --- below the lock ----------------------------------------------------------------------------

    def _find(self, kind: str, namespace: str | None, name: str) -> Object | None:
        return self._objects.get(kind, {}).get((namespace_of(kind, namespace), name))

    def _must_find(self, kind: str, namespace: str | None, name: str) -> Object:
        found = self._find(kind, namespace, name)
        if found is None:
            place = f" in namespace {namespace_of(kind, namespace)}" if namespace_of(kind, namespace) else ""
            raise NotFound(f"there is no {kind} {name}{place}")
        return found

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
        dry_run: bool = False,
    ) -> Object:
        wanted = copied(item)
        kind, namespace, name = identity(wanted)
        with self._changed:
            if self._find(kind, namespace, name) is not None:
                raise AlreadyExists(f"{title(wanted)} already exists")
            given = wanted["metadata"]
            metadata = {
                **{key: value for key, value in given.items() if key not in _SERVER_OWNED},
                **({"namespace": namespace} if namespace else {}),
                "uid": str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
                "creationTimestamp": self._clock.rfc3339(),
                "generation": 1,
                **({"managedFields": list(managed)} if managed else {}),
            }
            if restored:
                metadata.update({key: given[key] for key in _SERVER_OWNED if key in given})
                return self._store(Change.ADDED, admission.converted({**wanted, "metadata": metadata}))
            admitted = self._admit({**without_status(wanted), "metadata": metadata}, None)
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
        admitted = admission.admit(item, old, self._node_ports, self._random)
        for ask in self.webhooks:
            ask(admitted, old)
        return admitted

    def _store(self, change: Change, item: Object) -> Object:
        kind, namespace, name = identity(item)
        self._revision += 1
        metadata = {**item["metadata"], "resourceVersion": str(self._revision)}
        stored = {**item, "metadata": metadata}
        of_kind = self._objects.setdefault(kind, {})
        previous = of_kind.get((namespace, name))
        if kind == "Service":
            self._node_ports -= admission.node_ports(previous or {})
            self._node_ports |= admission.node_ports(stored)
        of_kind[namespace, name] = stored
        self._tell(WatchEvent(change, stored, self._revision, previous))
        return stored

    def _remove(self, item: Object) -> Object:
        kind, namespace, name = identity(item)
        self._revision += 1
        last = {**item, "metadata": {**item["metadata"], "resourceVersion": str(self._revision)}}
        gone = self._objects[kind].pop((namespace, name))
        self._applied.pop((kind, namespace, name), None)
        self._node_ports -= admission.node_ports(gone)
        self._tell(WatchEvent(Change.DELETED, last, self._revision, gone))
        return last

    def _tell(self, event: WatchEvent) -> None:
        self._history.append(event)
        for watch in self._watches:
            watch.offer(event)
        self._changed.notify_all()

    def _forget(self, watch: Watch) -> None:
        with self._changed:
            if watch in self._watches:
                self._watches.remove(watch)
