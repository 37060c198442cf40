"""The table of who calls and how each client model left."""

from __future__ import annotations

import pytest

from testbed import journal
from testbed.report import client_rows, html, markdown, summary
from testbed.verdict.verdict import Verdict, compute
from tests import made_journals as made


def clients(model: str, *, assumed: bool = True) -> journal.Clients:
    return journal.Clients(
        time=made.EPOCH, model=model, count=2, protocol="grpc", resolver="direct", looks_up="it connects",
        follows=False, source="measured", extrapolated=("<over TLS>",), assumed=assumed,
    )  # fmt: skip


def verdict(*, assumed: bool = True) -> Verdict:
    return compute(
        [*made.Story(rate=10.0).events(), clients("app", assumed=assumed), clients("server", assumed=assumed)]
    )


def test_each_move_has_a_row_for_each_client_that_it_left_behind():
    rows = client_rows.client_rows(verdict())
    assert {(row.move, row.cells[0]) for row in rows} >= {("Forward", "app"), ("Forward", "server")}
    assert all(len(row.cells) == len(client_rows.HEADINGS) for row in rows)
    assert all(row.stays == ("stayed" in row.cells[-1]) for row in rows)


@pytest.mark.parametrize("assumed", [True, False])
def test_the_report_says_who_called_and_whether_that_was_assumed(assumed):
    found = verdict(assumed=assumed)
    said = client_rows.who_calls(found)
    assert said.startswith("2 app, 2 server")
    assert ("assumed" in said) is assumed
    assert said in html.render(found).decode()
    assert "### Clients" in markdown.render(found)


def test_what_is_extrapolated_is_shown_and_escaped():
    page = html.render(verdict()).decode()
    assert "app: &lt;over TLS&gt;" in page
    assert "<over TLS>" not in page


def test_the_summary_has_the_models_and_how_each_left():
    found = verdict()
    written = summary.as_dict(found)
    assert [one["model"] for one in written["clients"]] == ["app", "server"]
    first = written["moves"][0]["clients"][0]
    assert first["model"] == "app"
    assert first["left"] == 0
    assert sum(first["ended"].values()) == first["connections"]
    assert first["took"]["production"] >= 0


def test_the_last_words_name_those_that_would_have_stayed():
    (departure,) = verdict().movements.departures
    assert "the last to leave was " in departure.text
    assert "left only because something ended their connections" in departure.text


def test_a_journal_without_clients_has_neither_row_nor_sentence():
    plain = compute(made.Story(rate=10.0).events())
    assert client_rows.client_rows(plain) == []
    assert client_rows.who_calls(plain) == ""
    assert "<h2>Clients</h2>" not in html.render(plain).decode()
