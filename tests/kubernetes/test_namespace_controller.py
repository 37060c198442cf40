"""Namespaces end when nothing is left in them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from testbed.clock import Clock
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.namespace_controller import NamespaceController
from testbed.settings import PATIENCE


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    """A store whose namespaces a controller looks after."""
    made, stop = ObjectStore(Clock()), threading.Event()
    thread = threading.Thread(target=NamespaceController(made).run, args=(stop,))
    thread.start()
    yield made
    stop.set()
    thread.join()


def test_a_namespace_waits_for_the_finalizer_of_a_controller_and_then_goes(store: ObjectStore) -> None:
    store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "prod", "finalizers": ["k"]}})
    held = {"name": "web", "namespace": "prod", "finalizers": ["example.com/held"]}
    store.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
    store.delete("Namespace", None, "prod")
    store.delete("ConfigMap", "prod", "web")
    assert store.get("Namespace", None, "prod")
    seen = store.revision
    store.patch("ConfigMap", "prod", "web", {"metadata": {"finalizers": None}})
    while store.get("Namespace", None, "prod") is not None:
        now = store.wait(seen, PATIENCE.condition)
        assert now > seen, "the namespace stayed"
        seen = now
