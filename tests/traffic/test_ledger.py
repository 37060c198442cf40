from __future__ import annotations

import pytest

from testbed.clock import Clock
from testbed.journal import Connection, Journal, Request, TrafficStopped, read
from testbed.traffic.ledger import Entry, Ledger
from testbed.traffic.traffic_plan import RequestKind


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.ndjson"


@pytest.fixture
def ledger(path):
    with Journal(path) as journal:
        yield Ledger(journal, Clock(), "api.example.com:8443")


def test_a_request_is_written_with_all_that_is_known_of_it(ledger, path):
    entry = Entry("t-1", RequestKind.GRPC_BIDI, 3, 5.0, method="/a/B")
    ledger.start(entry, "app-1")
    entry.connection = "127.80.10.1:41234"
    entry.peer, entry.pod, entry.listener, entry.status, entry.retries = (
        "127.80.10.1",
        "envoy-0",
        "tls",
        "OK",
        1,
    )
    ledger.finish(entry, "ok")
    ledger.flush()
    (request,) = read(path)
    assert request == Request(
        time=request.time,
        id="t-1",
        client="app-1",
        protocol="grpc",
        method="/a/B",
        shape="bidi",
        intended=5.0,
        sent=entry.sent,
        address="api.example.com:8443",
        peer="127.80.10.1",
        connection="127.80.10.1:41234",
        pod="envoy-0",
        listener="tls",
        status="OK",
        outcome="ok",
        retries=1,
    )


def test_nothing_is_written_before_it_is_flushed_and_nothing_twice(ledger, path):
    ledger.opened("app/1", "app", "127.80.10.1")
    ledger.closed("app/1", "app", "127.80.10.1", "closed by the peer")
    assert path.stat().st_size == 0
    ledger.flush()
    ledger.flush()
    assert [event.state for event in read(path) if isinstance(event, Connection)] == ["open", "closed"]


def test_what_was_scheduled_and_not_sent_was_never_started(ledger, path):
    ledger.scheduled = 3
    entry = Entry("t-1", RequestKind.REST_GET, 1, 5.0)
    ledger.start(entry, "server-0")
    ledger.finish(entry, "failed", "refused")
    ledger.stop()
    *_, stopped = read(path)
    assert stopped == TrafficStopped(time=stopped.time, scheduled=3, sent=1, finished=1, never_started=2)
