from __future__ import annotations

import pytest

from testbed.client_models import ttl_pool

NAMED = {one.name: one for one in ttl_pool.MODELS}


@pytest.mark.parametrize("ttl", [0.0, 60.0])
def test_the_ideal_client_follows_when_the_ttl_is_over(ttl: float) -> None:
    one = NAMED["ttl-pool"]
    assert one.follows_by_itself
    assert one.cache.lifetime(ttl) == ttl
