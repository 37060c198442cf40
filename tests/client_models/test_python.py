from __future__ import annotations

import pytest

from testbed.client_models import python
from testbed.client_models.client_model import NEVER

NAMED = {one.name: one for one in python.MODELS}


@pytest.mark.parametrize(
    ("name", "max_idle", "cache"),
    [
        ("python-requests", NEVER, 0.0),
        ("python-httpx", 5.0, 0.0),
        ("python-aiohttp", 15.0, 10.0),
        ("boto3", NEVER, 0.0),
    ],
)
def test_pools_of_python_differ_by_idle_limit_and_cache(name: str, max_idle: float, cache: float) -> None:
    one = NAMED[name]
    assert (one.max_idle, one.cache.lifetime(2)) == (max_idle, cache)
    assert not one.follows_by_itself


def test_only_boto3_retries() -> None:
    assert {name for name, one in NAMED.items() if one.retries} == {"boto3"}
