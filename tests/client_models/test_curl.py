from __future__ import annotations

import pytest

from testbed.client_models import curl

NAMED = {one.name: one for one in curl.MODELS}


@pytest.mark.parametrize(("name", "cache", "negative"), [("libcurl", 60.0, 30.0), ("php-curl", 120.0, 0.0)])
def test_a_handle_keeps_an_answer_whatever_its_ttl(name: str, cache: float, negative: float) -> None:
    assert NAMED[name].cache.lifetime(2) == cache
    assert NAMED[name].negative.lifetime(900, 900) == negative


@pytest.mark.parametrize("name", ["libcurl", "php-curl"])
def test_a_refused_connection_does_not_drop_the_answer(name: str) -> None:
    assert not NAMED[name].cache.dropped_when_refused
    assert NAMED[name].reconnects_by_cache
