from __future__ import annotations

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.traffic.outcomes import judge_grpc, judge_http

ERRORS = [code.name for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


@given(status=st.sampled_from(ERRORS), details=st.text(), answered=st.booleans())
def test_an_error_is_never_ok(status, details, answered):
    assert judge_grpc(status, details, answered=answered) != "ok"


@given(status=st.sampled_from(ERRORS), details=st.text())
def test_an_error_that_a_server_sent_is_failed(status, details):
    assert judge_grpc(status, details, answered=True) == "failed"


@pytest.mark.parametrize(
    ("status", "details"),
    [
        ("UNAVAILABLE", "failed to connect to all addresses; last error: UNKNOWN: Connection refused"),
        (
            "UNAVAILABLE",
            "errors resolving api.example.com:8443: [field:hostname lookup error:address lookup]",
        ),
        ("UNAVAILABLE", "DNS resolution failed for api.example.com:8443: Domain name not found"),
        ("UNAVAILABLE", "Received http2 header with status: 502"),
    ],
)
def test_what_was_never_sent_or_was_answered_by_http_is_failed(status, details):
    assert judge_grpc(status, details, answered=False) == "failed"


@pytest.mark.parametrize(
    ("status", "details"),
    [
        ("UNAVAILABLE", "Socket closed"),
        ("UNAVAILABLE", "recvmsg:Connection reset by peer"),
        ("UNAVAILABLE", "GOAWAY received"),
        ("INTERNAL", "Received RST_STREAM with error code 2"),
        ("CANCELLED", "Received RST_STREAM with error code 8"),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded"),
    ],
)
def test_what_broke_after_it_was_sent_is_unknown(status, details):
    assert judge_grpc(status, details, answered=False) == "unknown"


@given(status=st.integers(100, 599), complete=st.booleans())
def test_only_a_complete_answer_of_success_is_ok(status, complete):
    expected = "ok" if complete and 200 <= status <= 299 else "failed"
    assert judge_http(status, complete=complete) == expected
