from __future__ import annotations

import pytest

from testbed.journal import Request
from testbed.settings import PATIENCE
from testbed.verdict.lasting_losses import LastingLoss, in_words, lasting_losses
from testbed.verdict.reconciliation import Ledger

REFUSED = "cannot connect: 127.80.10.1:8443: [Errno 111] Connect call failed"
LONG = 2 * PATIENCE.stall
EVERY = 0.1


def ledger(*changes: dict[str, object], lag: float = 0.0) -> Ledger:
    """Requests of one client, one after the other; each is answered unless a change says otherwise."""
    made = Ledger()
    for number, change in enumerate(changes):
        due = number * EVERY
        fields = {
            "id": f"t-{number}", "client": "nginx-0", "protocol": "rest", "method": "GET /", "shape": "unary",
            "intended": due, "sent": due + lag, "time": due + lag + 0.01, "address": "api.example.com:8443",
            "peer": "", "pod": "envoy-0", "listener": "tls", "status": "200", "outcome": "ok",
        } | change  # fmt: skip
        made.add_request(Request(**fields))
    return made


def lost(detail: str = REFUSED, status: str = "", **more: object) -> dict[str, object]:
    return {"pod": "", "status": status, "outcome": "failed", "detail": detail, **more}


MANY = round(LONG / EVERY)


def test_a_client_that_is_refused_for_longer_than_the_machine_was_late_has_lost_its_way():
    [found] = lasting_losses(ledger({}, *[lost()] * MANY))
    assert (found.client, found.count) == ("nginx-0", MANY)
    assert found.lasted == pytest.approx((MANY - 1) * EVERY)


def test_a_grpc_client_too():
    words = "failed to connect to all addresses; last error: UNKNOWN: Connection refused"
    assert lasting_losses(ledger(*[lost(words, "UNAVAILABLE", protocol="grpc")] * MANY))


@pytest.mark.parametrize(
    "requests",
    [
        [*[lost()] * (MANY // 2), {}, *[lost()] * (MANY // 2)],
        [lost()] * (round(PATIENCE.stall / EVERY) - 1),
        [lost("no healthy upstream", "503")] * MANY,
        [lost("Received http2 header with status: 503", "UNAVAILABLE")] * MANY,
        [lost("closed by the peer", outcome="unknown")] * MANY,
        [lost(time=100.0)] * MANY,
    ],
    ids=[
        "an answer between", "no longer than a silence", "answered by a balancer", "the same by gRPC",
        "it was sent", "it waited",
    ],
)  # fmt: skip
def test_what_a_slow_machine_may_have_done_is_none(requests):
    assert lasting_losses(ledger(*requests)) == []


def test_so_is_what_lasted_no_longer_than_the_latest_request_was_late():
    assert lasting_losses(ledger(*[lost()] * MANY, lag=LONG)) == []


def test_a_run_without_requests_has_none():
    assert lasting_losses(Ledger()) == []


def test_the_sentence_names_a_few_clients_and_the_longest_time():
    found = [LastingLoss(f"nginx-{number}", 0.0, 1.0 + number, 9) for number in range(7)]
    assert in_words(found, 60.0) == (
        "nginx-0, nginx-1, nginx-2, nginx-3, nginx-4 and 2 more could not connect for up to 420 s of "
        "production time (7.00 s)"
    )
