"""The faults that scale a controller's Deployment to 0."""

from __future__ import annotations

from testbed.faults import KNOWN
from testbed.faults.stopped_controller import StoppedController
from testbed.runtime.components.cluster import IMAGES


def test_each_controller_of_a_cluster_can_be_stopped() -> None:
    images = [one.image for one in KNOWN.values() if issubclass(one, StoppedController)]
    assert sorted(images) == sorted(IMAGES.values())
