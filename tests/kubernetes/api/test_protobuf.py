from __future__ import annotations

import base64
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


def test_a_number_where_a_message_belongs_is_refused_at_once() -> None:
    with pytest.raises(Refused, match="wrong wire type"):
        decoded(b"k8s\x00" + TYPE + b"\x10\x05")


@given(st.binary())
def test_no_bytes_lead_to_anything_but_an_object_or_a_refusal(body: bytes) -> None:
    whole = b"k8s\x00" + TYPE + b"\x12" + bytes([len(body) % 128]) + body
    with suppress(Refused):
        assert decoded(whole)["kind"] == "Namespace"


LEASE = (
    "azhzAAofChZjb29yZGluYXRpb24uazhzLmlvL3YxEgVMZWFzZRJKCiEKBmxlYWRlchIAGgtrdWJlLXN5c3RlbSIAKgAyADgAQgASJQoF"
    "cG9kXzEQDxoLCKanp9gGEICU7zoiCwimp6fYBhCAlO86KAAaACIA"
)
EVENT = (
    "azhzAAoLCgJ2MRIFRXZlbnQSrgEKHAoFd2ViLjESABoHZGVmYXVsdCIAKgAyADgAQgASIwoHU2VydmljZRIHZGVmYXVsdBoDd2ViIgF1"
    "KgJ2MTIBNzoAGhZTdWNjZXNzZnVsbHlSZWNvbmNpbGVkIhdTdWNjZXNzZnVsbHkgcmVjb25jaWxlZCoLCgdzZXJ2aWNlEgAyCAimp6fY"
    "BhAAOggIpqen2AYQAEABSgZOb3JtYWxSAGIAcgdzZXJ2aWNlegAaACIA"
)
"""As k8s.io/client-go v0.34.1 writes them."""


def test_the_lease_of_a_leader_is_read() -> None:
    lease = decoded(base64.b64decode(LEASE))
    assert lease["metadata"] == {"name": "leader", "namespace": "kube-system"}
    assert lease["spec"] == {
        "holderIdentity": "pod_1",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-11-27T19:01:58.123456Z",
        "renewTime": "2026-11-27T19:01:58.123456Z",
        "leaseTransitions": 0,
    }


def test_the_event_of_a_controller_is_read() -> None:
    event = decoded(base64.b64decode(EVENT))
    assert event["involvedObject"]["name"] == "web"
    assert (event["reason"], event["count"], event["type"]) == ("SuccessfullyReconciled", 1, "Normal")
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2026-11-27T19:01:58Z"
    assert "eventTime" not in event


def test_a_time_that_no_calendar_has_is_refused() -> None:
    # Field 6 (firstTimestamp) of an Event with 2**62 seconds.
    moment = b"\x08" + b"\x80" * 8 + b"\x40"
    event = b"2" + bytes([len(moment)]) + moment
    body = b"k8s\x00\x0a\x0b\x0a\x02v1\x12\x05Event\x12" + bytes([len(event)]) + event
    with pytest.raises(Refused, match="a time out of range"):
        decoded(body)
