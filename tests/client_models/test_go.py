from __future__ import annotations

import pytest

from testbed.client_models import go

NAMED = {one.name: one for one in go.MODELS}


@pytest.mark.parametrize("name", ["go-net-http"])
def test_go_keeps_an_idle_connection_for_90_s_and_caches_no_address(name: str) -> None:
    assert NAMED[name].max_idle == 90.0
    assert NAMED[name].looks_up_at(1.0, 0.9, 60.0) == 1.0
