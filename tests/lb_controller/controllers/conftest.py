from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lb_controller.controllers.cluster_at_work import Cluster, at_work


@pytest.fixture
def cluster(aws: Any) -> Iterator[Cluster]:
    with at_work(Cluster(aws)) as running:
        yield running
