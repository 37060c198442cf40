from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.journal import Connection, Request, TrafficStopped, encode
from testbed.traffic.ledger_follower import Progress


def request(number, *, outcome="ok", peer="127.80.10.1", time=100.0, lag=0.001, retries=0):
    return Request(
        time=time,
        id=f"t-{number}",
        client="app-0",
        protocol="grpc",
        method="/a",
        shape="unary",
        intended=time,
        sent=time + lag,
        address="api.example.com:8443",
        peer=peer,
        pod="envoy-0",
        listener="tls",
        status="OK",
        outcome=outcome,
        retries=retries,
    )


EVENTS = [
    *(request(number, time=100.0 + number / 10) for number in range(25)),
    request(30, outcome="failed", peer="", time=102.0),
    request(31, outcome="unknown", peer="", time=102.0, retries=1),
    Connection(time=100.0, id="a", client="app", state="open", address="127.80.10.1"),
    Connection(time=100.0, id="b", client="app", state="open", address="127.80.10.1"),
    Connection(time=101.0, id="a", client="app", state="closed", address="127.80.10.1"),
    TrafficStopped(time=103.0, scheduled=27, sent=27, finished=27, never_started=0),
]
DATA = b"".join(map(encode, EVENTS))


def test_no_journal_is_no_traffic(tmp_path):
    progress = Progress(tmp_path / "none")
    progress.update()
    assert (progress.outcomes, progress.rates(), progress.lag()) == ({}, {}, 0.0)


@given(cuts=st.lists(st.integers(0, len(DATA)), max_size=8).map(sorted))
def test_counters_do_not_depend_on_when_the_journal_is_read(cuts, tmp_path_factory):
    path = tmp_path_factory.mktemp("journal") / "journal.ndjson"
    progress = Progress(path)
    for start, end in zip([0, *cuts], [*cuts, len(DATA)], strict=True):
        with path.open("ab") as journal:
            journal.write(DATA[start:end])
        progress.update()
    assert progress.outcomes == {"ok": 25, "failed": 1, "unknown": 1}
    assert progress.peers == {"127.80.10.1": 25, "": 2}
    assert progress.connections == {("127.80.10.1", "app"): 1}
    assert progress.retries == 1
    assert progress.rates() == {"127.80.10.1": 10}
    assert progress.lag() == pytest.approx(0.001)
