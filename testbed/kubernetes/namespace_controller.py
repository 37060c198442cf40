"""The end of namespaces: a namespace in deletion goes when the last of its objects has gone.

Source: kube-controller-manager's namespace controller.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from testbed.kubernetes.object_store import ObjectStore
from testbed.settings import PATIENCE


class NamespaceController:
    """Ends namespaces whose objects were held by the finalizers of other controllers."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def run(self, stop: threading.Event) -> None:
        """Look at the namespaces after each change until `stop` is set."""
        seen = 0
        while not stop.is_set():
            seen = self._store.wait(seen, PATIENCE.look)
            finish_namespaces(self._store)


def finish_namespaces(store: ObjectStore) -> None:
    """Remove the finalizers of namespaces in deletion that hold nothing any more."""
    for item in store.list("Namespace"):
        if item["metadata"].get("deletionTimestamp") and not contents(store, item["metadata"]["name"]):
            store.patch("Namespace", None, item["metadata"]["name"], {"metadata": {"finalizers": None}})


def contents(store: ObjectStore, namespace: str) -> list[Mapping[str, Any]]:
    """Return the objects in a namespace; events do not count."""
    return [
        item
        for item in store.list_all()
        # Controllers go on recording events while the last objects go.
        if item["kind"] != "Event" and item["metadata"].get("namespace") == namespace
    ]
