"""Who left a balancer, when and why, and who would have stayed."""

from __future__ import annotations

import pytest

from testbed import journal
from testbed.verdict.client_leavings import leavings, listed, who_would_stay
from testbed.verdict.drains import ClientConnection, drains_of
from testbed.verdict.ending_causes import UNKNOWN_CAUSE, Cause
from testbed.verdict.history import History

AGE = 300.0


def clients(model: str, *, follows: bool = False) -> journal.Clients:
    return journal.Clients(
        time=0.0, model=model, count=2, protocol="http/1.1", resolver="direct", looks_up="when it connects",
        follows=follows, source="measured", extrapolated=("over TLS",),
    )  # fmt: skip


def history(*events: journal.Event, age: float | None = AGE) -> History:
    run = journal.Run(
        time=0.0, scenario="s", title="s", clock={"speed": 60.0, "epoch": 0.0}, rate=1.0, seed=1,
        external_dns="", network="", host="a.b", testbed="0", machine="", connection_age=age,
    )  # fmt: skip
    made = History()
    for event in (run, *events):
        made.add(event)
    return made


def test_the_connections_of_each_model_are_counted_from_the_move_on():
    told = history(clients("grpcio"), clients("ttl-pool", follows=True))
    spans = [
        ClientConnection("nlb", "grpcio", 0.0, 12.0, UNKNOWN_CAUSE),
        ClientConnection("nlb", "grpcio", 0.0, None, ""),
        ClientConnection("nlb", "ttl-pool-1", 0.0, 11.0, "DNS no longer answers with its address"),
        ClientConnection("nlb", "ttl-pool-1", 0.0, 9.0, "over before the move"),
        ClientConnection("alb", "ttl-pool-1", 11.0, None, ""),
    ]
    grpcio, ttl_pool = leavings(told, spans, "nlb", 10.0, 30.0)
    assert (grpcio.connections, grpcio.left, grpcio.last, grpcio.ended) == (2, 1, 12.0, {Cause.AGE: 1})
    assert grpcio.words == "1 at its maximum age, 1 stayed"
    assert (ttl_pool.connections, ttl_pool.ended) == (1, {Cause.FOLLOWED: 1})
    assert who_would_stay([grpcio, ttl_pool]) == ["grpcio"]


def test_the_drain_of_a_protocol_has_the_numbers_of_its_models():
    told = history(clients("grpcio"), clients("ttl-pool", follows=True))
    spans = [
        ClientConnection("nlb", "grpcio", 0.0, 12.0, UNKNOWN_CAUSE),
        ClientConnection("nlb", "grpcio", 11.0, 17.0, UNKNOWN_CAUSE),
        ClientConnection("nlb", "grpcio", 13.0, 14.0, "its request was cancelled"),
        ClientConnection("nlb", "grpcio", 5.0, None, ""),
    ]
    [model] = leavings(told, spans, "nlb", 10.0, 30.0)
    [drain] = drains_of(told, [], spans, {"grpcio"}, "nlb", 10.0, 30.0)
    assert drain.began_with + drain.opened_later == model.connections
    assert drain.left == model.left
    assert drain.ended == {Cause.AGE.value: 2, "its request was cancelled": 1}
    assert model.ended == {Cause.AGE: 2, Cause.OTHER: 1}


def test_a_journal_that_does_not_say_who_calls_has_no_rows():
    assert leavings(history(), [ClientConnection("nlb", "app-1", 0.0, None, "")], "nlb", 0.0, 9.0) == ()


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed_as_a_sentence_has_them(names, text):
    assert listed(names) == text
