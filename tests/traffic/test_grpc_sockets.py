from __future__ import annotations

import socket

import pytest

from testbed.clock import Clock
from testbed.journal import Connection, Journal, read
from testbed.network import lease
from testbed.traffic.grpc_sockets import Flow, FlowWatch, flows
from testbed.traffic.ledger import Entry, Ledger
from testbed.traffic.traffic_plan import RequestKind

ALB_NODE = "127.80.11.1"


def test_a_connection_is_seen_while_it_is_open():
    with lease() as network, socket.create_server((network.balancer(0, 0), 0)) as server:
        port = server.getsockname()[1]
        assert flows(port) == frozenset()
        with socket.create_connection(server.getsockname()) as connection:
            assert flows(port) == {Flow(connection.getsockname()[1], network.balancer(0, 0))}
        assert flows(port) == frozenset()


@pytest.fixture
def written(tmp_path):
    """A ledger, and what it has written of connections."""
    path = tmp_path / "journal.ndjson"
    with Journal(path) as journal:
        ledger = Ledger(journal, Clock(), "api.example.com:8443")

        def events():
            ledger.flush()
            return [(one.id, one.state, one.address) for one in read(path) if isinstance(one, Connection)]

        yield ledger, events


def answered(ledger, connection, peer=ALB_NODE):
    entry = Entry("t-1", RequestKind.GRPC_UNARY, 1, 0.0, connection=connection, peer=peer)
    entry.sent = ledger.wall()
    return entry


def test_a_connection_between_two_looks_is_known_by_its_first_answer_and_ends_at_the_next_look(written):
    ledger, events = written
    watch = FlowWatch(1, ledger)
    for _ in range(2):
        watch.answered(answered(ledger, "127.0.0.1:40123"))
    assert events() == [("grpcio/40123", "open", ALB_NODE)]
    watch.look(frozenset())
    assert events()[1:] == [("grpcio/40123", "closed", ALB_NODE)]


def test_an_answer_that_is_taken_after_its_connection_was_seen_to_end_opens_none(written):
    ledger, events = written
    watch = FlowWatch(1, ledger)
    watch.answered(answered(ledger, "127.0.0.1:40123"))
    late = answered(ledger, "127.0.0.1:40123")
    watch.look(frozenset())
    watch.answered(late)
    assert len(events()) == 2
    watch.answered(answered(ledger, "127.0.0.1:40123"))  # the port again, by a later request
    assert events()[2:] == [("grpcio/40123", "open", ALB_NODE)]


@pytest.mark.parametrize(
    "connection",
    ["", "127.80.10.1:41000", "[::1]:41000"],
    ids=["without an answer", "an NLB names its own connection", "the relay of IPv6 reports its own"],
)
def test_what_names_no_connection_of_the_client_opens_none(written, connection):
    ledger, events = written
    watch = FlowWatch(1, ledger)
    watch.answered(answered(ledger, connection, peer=connection.rpartition(":")[0]))
    watch.answered(answered(ledger, "127.0.0.1:40123"))
    assert events() == [("grpcio/40123", "open", ALB_NODE)]
