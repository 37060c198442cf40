from __future__ import annotations

import pytest

from testbed.client_models import java
from testbed.client_models.client_model import OnNewAnswer

NAMED = {one.name: one for one in java.MODELS}


@pytest.mark.parametrize("name", ["java-http1", "java-http2", "java-urlconnection"])
def test_the_jvm_keeps_an_answer_for_30_s_and_its_absence_for_10(name: str) -> None:
    assert NAMED[name].cache.lifetime(2) == 30.0
    assert NAMED[name].negative.lifetime(900, 900) == 10.0


def test_the_same_client_follows_over_http_1_and_not_over_http_2() -> None:
    assert NAMED["java-http1"].follows_by_itself
    assert not NAMED["java-http2"].follows_by_itself
    assert NAMED["java-http1"].on_new_answer is OnNewAnswer.ABANDONS
