"""Lets the readiness of a pod come and go, as its kubelet reports it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.faults import ReadinessFlapping
from testbed.kubernetes.client import KubernetesClient


@contextmanager
def flapping(objects: KubernetesClient, fault: ReadinessFlapping, clock: Clock) -> Iterator[None]:
    """Make a pod unready and ready in turn while the block lasts; it is ready afterwards.

    Raises:
        BadInput: the cluster has no such pod.
    """
    found = [pod["metadata"] for pod in objects.list("Pod") if pod["metadata"]["name"] == fault.part]
    if not found:
        raise BadInput(f"{fault.name}: the cluster has no pod {fault.part}", do="name one of its target pods")
    (metadata,) = found
    over = threading.Event()

    def report(is_ready: bool) -> None:
        objects.set_ready(metadata["namespace"], metadata["name"], is_ready)

    def flap() -> None:
        is_ready = False
        while not clock.wait(over, fault.seconds):
            is_ready = not is_ready
            report(is_ready)

    report(False)
    kubelet = threading.Thread(target=flap, name=fault.name, daemon=True)
    kubelet.start()
    try:
        yield
    finally:
        over.set()
        kubelet.join()
        report(True)
