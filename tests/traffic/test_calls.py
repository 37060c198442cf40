from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.traffic.calls import IDEMPOTENT, STREAMS, Call, as_json, from_json, from_text, to_text

CALLS = st.builds(
    Call,
    protocol=st.sampled_from(["grpc", "rest"]),
    path=st.text("/abc.V1", min_size=1),
    method=st.sampled_from(["GET", "POST", "PATCH"]),
    shape=st.sampled_from(["unary", *STREAMS]),
    share=st.floats(0.01, 100),
    body=st.binary(max_size=20),
    headers=st.lists(st.tuples(st.text("abc-"), st.text(max_size=5)), max_size=3).map(tuple),
    status=st.none() | st.integers(200, 299),
)


@given(st.lists(CALLS, max_size=4))
def test_calls_are_the_same_after_a_journey_as_json(calls: list[Call]) -> None:
    assert from_json(orjson.loads(orjson.dumps(as_json(calls)))) == tuple(calls)
    assert from_text(to_text(calls)) == tuple(calls)


def test_an_empty_text_has_no_calls() -> None:
    assert from_text("") == ()


@pytest.mark.parametrize(
    "values", [[{}], [{"body": 1, "headers": []}], [{"body": "", "headers": [], "x": 1}]]
)
def test_other_values_are_refused(values: list[dict[str, object]]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        from_json(values)


def test_a_call_is_named_as_in_the_ledger() -> None:
    assert Call("grpc", "/shop.v1.Carts/Get").title == "/shop.v1.Carts/Get"
    assert Call("rest", "/carts?a=1", method="PUT").title == "PUT /carts?a=1"


def test_a_post_or_a_grpc_call_must_not_be_sent_twice() -> None:
    assert not Call("grpc", "/a.B/C").is_idempotent
    assert not Call("rest", "/carts", method="POST").is_idempotent
    assert not Call("rest", "/carts", method="PATCH").is_idempotent
    assert all(Call("rest", "/carts", method=method).is_idempotent for method in IDEMPOTENT)
