from __future__ import annotations

import pytest

from testbed.client_models import ruby

NAMED = {one.name: one for one in ruby.MODELS}


@pytest.mark.parametrize("name", ["ruby-net-http"])
def test_ruby_keeps_an_idle_connection_for_2_s(name: str) -> None:
    assert NAMED[name].max_idle == 2.0
