from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes.api.protobuf import decoded
from testbed.kubernetes.api.statuses import Refused

TYPE = b"\x0a\x0f\x0a\x02v1\x12\x09Namespace"
WHOLE = b"k8s\x00" + TYPE + b"\x12\x08\x0a\x06\x0a\x04prod"


def test_a_message_is_read() -> None:
    assert decoded(WHOLE) == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "prod"}}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", 400),
        (WHOLE[:-2], 400),
        (b"k8s\x00" + TYPE.replace(b"Namespace", b"Something"), 415),
    ],
)
def test_what_is_no_message_of_a_known_kind_is_refused(body: bytes, code: int) -> None:
    with pytest.raises(Refused) as refusal:
        decoded(body)
    assert refusal.value.code == code


@given(st.binary())
def test_no_bytes_lead_to_anything_but_an_object_or_a_refusal(body: bytes) -> None:
    whole = b"k8s\x00" + TYPE + b"\x12" + bytes([len(body) % 128]) + body
    with suppress(Refused):
        assert decoded(whole)["kind"] == "Namespace"
