"""The clients' ledger against the targets' access logs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import journal
from testbed.verdict.reconciliation import DifferenceKind, Ledger, Table

REQUEST = journal.Request(
    time=1.1, id="r1", client="app-1", protocol="grpc", method="/a.B/C", shape="unary", intended=1.0,
    sent=1.0, address="a:443", peer="127.0.0.1", pod="envoy-0", listener="tls", status="OK", outcome="ok",
)  # fmt: skip
ACCESS = journal.Access(
    time=1.05, id="r1", pod="envoy-0", listener="tls", peer="127.0.0.1", connection="c", protocol="HTTP/2",
    method="POST", path="/a.B/C", status=200, grpc_status="OK", flags="", duration=1.0,
)  # fmt: skip
UNANSWERED: dict[str, Any] = {
    "peer": "",
    "pod": "",
    "listener": "",
    "outcome": "unknown",
    "status": "TIMEOUT",
}


def entered(*events: journal.Request | journal.Access) -> Ledger:
    ledger = Ledger()
    for event in events:
        if isinstance(event, journal.Request):
            ledger.add_request(event)
        else:
            ledger.add_access(event)
    return ledger


def kinds(ledger: Ledger) -> list[DifferenceKind]:
    return [difference.kind for difference in ledger.differences()]


def test_accounts_that_agree_have_no_difference() -> None:
    ledger = entered(REQUEST, ACCESS)
    assert kinds(ledger) == []
    assert ledger.target_says("r1") == "envoy-0/tls via 127.0.0.1 answered 200 OK"


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([REQUEST], DifferenceKind.NOT_IN_ACCESS_LOG),
        ([ACCESS], DifferenceKind.NOT_IN_LEDGER),
        ([REQUEST, REQUEST, ACCESS], DifferenceKind.LEDGER_REPEATS),
        ([REQUEST, ACCESS, ACCESS], DifferenceKind.SERVED_TWICE),
        ([REQUEST, dataclasses.replace(ACCESS, pod="envoy-1")], DifferenceKind.SERVED_DIFFERENTLY),
        ([REQUEST, dataclasses.replace(ACCESS, peer="127.0.0.2")], DifferenceKind.SERVED_DIFFERENTLY),
        ([REQUEST, dataclasses.replace(ACCESS, grpc_status="14")], DifferenceKind.SERVED_DIFFERENTLY),
        ([dataclasses.replace(REQUEST, protocol="rest", status="200"),
          dataclasses.replace(ACCESS, status=503)], DifferenceKind.SERVED_DIFFERENTLY),
    ],
    ids=["not logged", "not sent", "twice in the ledger", "served twice", "pod", "peer", "gRPC", "HTTP"],
)  # fmt: skip
def test_accounts_that_differ_are_named_by_kind(events: list[Any], kind: DifferenceKind) -> None:
    assert kinds(entered(*events)) == [kind]


def test_a_request_that_was_never_answered_may_have_reached_a_target_or_not() -> None:
    lost = dataclasses.replace(REQUEST, **UNANSWERED)
    assert kinds(entered(lost)) == []
    assert kinds(entered(lost, ACCESS)) == []
    assert entered(lost).target_says("r1") == "never reached a target"


def test_a_retry_may_be_served_once_more() -> None:
    assert kinds(entered(dataclasses.replace(REQUEST, retries=1), ACCESS, ACCESS)) == []


@pytest.mark.parametrize("identity", ["", "-", "probe-3"])
def test_access_lines_of_others_are_only_counted(identity: str) -> None:
    ledger = entered(REQUEST, ACCESS, dataclasses.replace(ACCESS, id=identity))
    assert (kinds(ledger), ledger.of_others) == ([], 1)


def test_a_request_that_was_lost_is_kept_with_its_cause() -> None:
    ledger = entered(dataclasses.replace(REQUEST, **UNANSWERED, detail="reset: by peer"))
    assert dict(ledger.causes) == {0: "TIMEOUT reset"}
    assert [request.id for request in ledger.troubles] == ["r1"]


def test_decoded_lines_are_entered_as_their_events_are() -> None:
    ledger = Ledger()
    ledger.add_request_fields(dataclasses.asdict(REQUEST))
    ledger.add_access_fields(dataclasses.asdict(ACCESS))
    assert (kinds(ledger), len(ledger)) == ([], 1)


@given(rows=st.lists(st.tuples(st.integers(0, 3), st.text(max_size=1))))
def test_a_table_gives_equal_rows_one_number_and_different_rows_two(rows: list[tuple[int, str]]) -> None:
    table = Table(lambda *row: row)  # type: ignore[arg-type, var-annotated]
    codes = [table.code(row) for row in rows]
    assert [table.rows[code] for code in codes] == rows
    assert len(table.rows) == len(set(rows))
