from __future__ import annotations

import pytest

from testbed.client_models import node

NAMED = {one.name: one for one in node.MODELS}


@pytest.mark.parametrize(("name", "max_idle"), [("node-fetch", 4.0), ("node-http", 5.0)])
def test_idle_limits_of_node_are_seconds_and_it_caches_no_address(name: str, max_idle: float) -> None:
    assert NAMED[name].max_idle == max_idle
    assert NAMED[name].looks_up_at(1.0, 0.9, 60.0) == 1.0
