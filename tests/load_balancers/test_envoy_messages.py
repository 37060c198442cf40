from __future__ import annotations

import pytest
from envoy.extensions.filters.http.router.v3 import router_pb2
from hypothesis import given
from hypothesis import strategies as st

from testbed.load_balancers.envoy_messages import extension, packed, seconds


def test_a_packed_message_can_be_unpacked() -> None:
    message = router_pb2.Router(suppress_envoy_headers=True)
    unpacked = router_pb2.Router()
    assert packed(message).Unpack(unpacked)
    assert unpacked == message


def test_an_extension_has_the_type_of_its_configuration() -> None:
    made = extension("envoy.filters.http.router", router_pb2.Router())
    assert made["name"] == "envoy.filters.http.router"
    assert made["typed_config"].type_url.endswith("envoy.extensions.filters.http.router.v3.Router")


@given(st.floats(0.001, 10_000))
def test_a_duration_is_exact_to_the_millisecond(wall: float) -> None:
    assert seconds(wall).ToMilliseconds() == pytest.approx(wall * 1000, abs=0.5)


@pytest.mark.parametrize("wall", [0.0, 1e-9])
def test_no_duration_is_zero_which_means_never(wall: float) -> None:
    assert seconds(wall).ToMilliseconds() == 1
