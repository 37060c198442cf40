"""Stops a controller as an operator does: its Deployment is scaled to 0."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from testbed.errors import BadInput
from testbed.kubernetes.client import KubernetesClient
from testbed.kubernetes.deployment_controller import image_of
from testbed.kubernetes.played_pods import replicas_of


@contextmanager
def scaled_to_zero(objects: KubernetesClient, image: str) -> Iterator[None]:
    """Scale the Deployments of an image to 0 while the block lasts.

    Raises:
        BadInput: there is none.
    """
    found = [item for item in objects.list("Deployment") if image_of(item) == image]
    if not found:
        raise BadInput(f"the cluster has no Deployment of {image}", do="leave out the fault that stops it")
    for item in found:
        objects.scale("Deployment", item["metadata"]["namespace"], item["metadata"]["name"], 0)
    try:
        yield
    finally:
        for item in found:
            metadata = item["metadata"]
            objects.scale("Deployment", metadata["namespace"], metadata["name"], replicas_of(item))
