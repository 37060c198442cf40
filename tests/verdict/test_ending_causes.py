"""Why a connection ended."""

from __future__ import annotations

import pytest

from testbed.verdict.ending_causes import UNKNOWN_CAUSE, Cause, cause_of, in_words

AGE = 300.0


@pytest.mark.parametrize(
    ("reason", "lived", "age", "cause"),
    [
        ("the peer sent connection: close", 10.0, AGE, Cause.AGE),
        (UNKNOWN_CAUSE, 301.0, AGE, Cause.AGE),
        (UNKNOWN_CAUSE, 120.0, AGE, Cause.UNREPORTED),
        (UNKNOWN_CAUSE, 1e6, None, Cause.UNREPORTED),
        ("idle for longer than the client keeps a connection", 10.0, AGE, Cause.IDLE),
        ("DNS no longer answers with its address", 10.0, AGE, Cause.FOLLOWED),
        ("ConnectionResetError: [Errno 104] Connection reset by peer", 10.0, AGE, Cause.RESET),
        ("closed by the peer", 10.0, AGE, Cause.CLOSED),
        ("its request was cancelled", 10.0, AGE, Cause.OTHER),
    ],
)
def test_a_reason_is_one_of_few_causes(reason, lived, age, cause):
    assert cause_of(reason, lived, age) is cause


@pytest.mark.parametrize(
    ("reason", "cause", "words"),
    [
        ("the peer sent connection: close", Cause.AGE, "at its maximum age"),
        ("its request was cancelled", Cause.OTHER, "its request was cancelled"),
        (UNKNOWN_CAUSE, Cause.UNREPORTED, UNKNOWN_CAUSE),
    ],
)
def test_a_cause_without_a_name_is_told_in_the_words_of_the_client(reason, cause, words):
    assert in_words(reason, cause) == words
