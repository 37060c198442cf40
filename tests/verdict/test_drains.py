"""How connections leave a balancer, from what the clients report of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import journal
from testbed.verdict.drains import (
    ClientConnection,
    Drain,
    client_connections,
    drains_of,
    last_closed,
    open_connections,
    step_function,
)
from testbed.verdict.ending_causes import UNKNOWN_CAUSE
from testbed.verdict.history import History

INTERVALS = st.lists(
    st.tuples(st.floats(0, 50), st.floats(0, 50) | st.none()).map(
        lambda pair: (pair[0], None if pair[1] is None else max(pair))
    ),
    max_size=12,
)


def history(*events: journal.Event) -> History:
    found = History()
    for kind, address in (("nlb", "10.0.0.1"), ("alb", "10.0.1.1")):
        found.add(
            journal.Balancer(
                time=0.0, name=kind, type=kind, dns_name=f"{kind}.elb", state="active", addresses=(address,)
            )  # type: ignore[arg-type]
        )
    for event in events:
        found.add(event)
    return found


def opened(time: float, identity: str, address: str = "10.0.0.1:443") -> journal.Connection:
    return journal.Connection(time=time, id=identity, client="app-1", state="open", address=address)


def closed(time: float, identity: str, reason: str = "") -> journal.Connection:
    return journal.Connection(
        time=time, id=identity, client="app-1", state="closed", address="10.0.0.1:443", reason=reason
    )


def test_a_connection_lasts_from_its_opening_to_its_end() -> None:
    found = client_connections(history(opened(1.0, "a"), closed(4.0, "a", "idle"), opened(2.0, "b")))
    assert found == [
        ClientConnection("nlb", "app-1", 1.0, 4.0, "idle"),
        ClientConnection("nlb", "app-1", 2.0, None, ""),
    ]


@pytest.mark.parametrize(
    ("address", "balancer"),
    [("10.0.0.1:443", "nlb"), ("ipv4:10.0.1.1:443", "alb"), ("10.9.9.9:443", "unknown")],
)
def test_a_connection_belongs_to_the_balancer_of_its_address(address: str, balancer: str) -> None:
    assert client_connections(history(opened(1.0, "a", address)))[0].balancer == balancer


def test_an_end_without_a_reason_has_an_unknown_cause() -> None:
    (found,) = client_connections(history(opened(1.0, "a"), closed(2.0, "a")))
    assert found.reason == UNKNOWN_CAUSE


def test_a_connection_that_the_clients_closed_at_the_end_was_open_until_then() -> None:
    (found,) = client_connections(history(opened(1.0, "a"), closed(2.0, "a", journal.CLIENTS_STOPPED)))
    assert found.closed is None


def test_a_drain_counts_what_was_open_when_the_alias_moved() -> None:
    spans = [
        ClientConnection("nlb", "app-1", 0.0, 12.0, "idle"),
        ClientConnection("nlb", "app-2", 5.0, 15.0, "idle"),
        ClientConnection("nlb", "app-3", 0.0, 9.0, "before the move"),
        ClientConnection("alb", "app-4", 0.0, 14.0, "on the other balancer"),
    ]
    (drain,) = drains_of(history(), [], spans, {"app"}, "nlb", 10.0, 30.0)
    assert drain == Drain("grpc", "connections", ((10.0, 2), (12.0, 1), (15.0, 0)), {"idle": 2}, (10.0, 12.0))
    assert (drain.began_with, drain.left, drain.empty_at) == (2, 0, 15.0)


def test_a_connection_that_stays_is_left() -> None:
    spans = [ClientConnection("nlb", "server-1", 0.0, None, "")]
    (drain,) = drains_of(history(), [], spans, {"app"}, "nlb", 10.0, 30.0)
    assert (drain.protocol, drain.left, drain.empty_at) == ("rest", 1, None)


def test_the_last_connection_is_closed_only_if_none_is_open() -> None:
    ended = ClientConnection("nlb", "app-1", 0.0, 5.0, "idle")
    assert last_closed([ended], "nlb") == 5.0
    assert last_closed([ended, ClientConnection("nlb", "app-2", 0.0, None, "")], "nlb") is None
    assert last_closed([ClientConnection("alb", "app-2", 0.0, 9.0, "idle")], "nlb") is None


def test_each_balancer_has_its_number_of_connections_over_time() -> None:
    spans = [
        ClientConnection("nlb", "app-1", 1.0, 3.0, "idle"),
        ClientConnection("alb", "app-1", 3.0, None, ""),
    ]
    lines = open_connections(spans, {}, history(opened(4.0, "x")))
    assert lines == {"nlb": ((0.0, 0), (1.0, 1), (3.0, 0)), "alb": ((0.0, 0), (3.0, 1))}


@pytest.mark.parametrize(
    ("client", "model"),
    [
        ("app-3", "app"),
        ("boto3-12", "boto3"),
        ("java-http1", "java-http1"),
        ("app", "app"),
    ],
)
def test_a_client_is_known_by_its_model(client: str, model: str) -> None:
    assert journal.client_model(client) == model


@given(intervals=INTERVALS)
def test_a_step_function_is_never_negative_and_ends_with_what_is_open(
    intervals: list[tuple[float, float | None]],
) -> None:
    points = step_function(intervals, 0.0, 50.0)
    assert all(count >= 0 for _, count in points)
    assert [time for time, _ in points] == sorted({time for time, _ in points})
    assert points[-1][1] == sum(end is None for _, end in intervals)
