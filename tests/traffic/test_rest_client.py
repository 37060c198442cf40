from __future__ import annotations

import asyncio
import dataclasses
import ssl

import pytest

from testbed.client_models.catalogue import MODELS
from testbed.journal import Connection, Journal, Request, read
from testbed.settings import PATIENCE, PRODUCTION
from testbed.traffic import rest_client
from testbed.traffic.connection_rules import IDLE
from testbed.traffic.ledger import Entry, Ledger
from testbed.traffic.rest_client import ServerClient
from testbed.traffic.traffic_plan import RequestKind


class Caller:
    """A server client in this process, and the ledger that it writes."""

    def __init__(self, world, journal: Journal, model: str = "ttl-pool") -> None:
        self.plan = world.plan(journal.path)
        self._ledger = Ledger(journal, self.plan.clock, self.plan.address)
        tls = ssl.create_default_context(cafile=str(world.ca_file))
        self.client = ServerClient(f"{model}-0", MODELS[model], self.plan, tls, self._ledger)

    async def send(self, kind: RequestKind = RequestKind.REST_GET, messages: int = 1) -> Request:
        await self.client.send(Entry(f"t-{self._ledger.sent}", kind, messages, self._ledger.wall()))
        self._ledger.flush()
        return [event for event in read(self.plan.journal) if isinstance(event, Request)][-1]

    async def connections(self, state: str) -> list[Connection]:
        await asyncio.sleep(PATIENCE.poll)
        self._ledger.flush()
        events = read(self.plan.journal)
        return [event for event in events if isinstance(event, Connection) and event.state == state]

    async def pass_ttl(self, production_seconds: float) -> None:
        await self.plan.clock.sleep(production_seconds * 1.05)


@pytest.fixture
async def caller(world, tmp_path):
    with Journal(tmp_path / "journal.ndjson") as journal:
        caller = Caller(world, journal)
        yield caller
        caller.client.close()
        await asyncio.sleep(PATIENCE.poll)


@pytest.fixture
def servers(world, scripted):
    first, second = scripted(2)
    world.names.addresses = [first.address]
    return first, second


async def test_a_kept_alive_connection_is_used_again(caller, servers):
    outcomes = [(await caller.send()).outcome for _ in range(3)]
    assert outcomes == ["ok"] * 3
    assert servers[0].connections == 1


async def test_a_get_on_a_connection_that_closed_is_sent_once_more(caller, servers):
    servers[0].steps = ["ok", "drop", "ok"]
    await caller.send()
    request = await caller.send()
    assert (request.outcome, request.retries) == ("ok", 1)
    assert servers[0].requests[1] == servers[0].requests[2]


async def test_a_second_retry_is_not_made(caller, servers):
    servers[0].steps = ["ok", "drop", "drop", "ok"]
    await caller.send()
    request = await caller.send()
    assert (request.outcome, request.retries) == ("unknown", 1)
    assert len(servers[0].requests) == 3


async def test_a_post_is_never_sent_twice(caller, servers):
    servers[0].steps = ["ok", "drop", "ok"]
    await caller.send()
    request = await caller.send(RequestKind.REST_POST)
    assert (request.outcome, request.retries) == ("unknown", 0)


async def test_a_get_on_a_new_connection_is_not_retried(caller, servers):
    servers[0].steps = ["drop"]
    request = await caller.send()
    assert (request.outcome, request.retries) == ("unknown", 0)


async def test_an_answer_that_broke_off_is_unknown_and_not_retried(caller, servers):
    servers[0].steps = ["ok", "half"]
    await caller.send()
    request = await caller.send()
    assert (request.outcome, request.retries) == ("unknown", 0)


async def test_a_retry_that_finds_no_connection_leaves_the_first_attempt_unknown(caller, servers):
    servers[0].steps = ["ok", "drop"]
    await caller.send()
    servers[0].server.close()
    assert (await caller.send()).outcome == "unknown"


async def test_an_announced_close_costs_no_request(caller, servers):
    servers[0].steps = ["close", "close", "ok"]
    requests = [await caller.send(RequestKind.REST_POST) for _ in range(3)]
    assert [(request.outcome, request.retries) for request in requests] == [("ok", 0)] * 3
    assert servers[0].connections == 3


async def test_a_slow_answer_is_unknown_after_the_patience(caller, servers, monkeypatch):
    monkeypatch.setattr(rest_client, "PATIENCE", dataclasses.replace(PATIENCE, request=0.1))
    servers[0].steps = ["silent"]
    assert (await caller.send()).outcome == "unknown"
    servers[0].steps = []
    assert (await caller.send()).outcome == "ok"
    assert servers[0].connections == 2


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 3\r\n\r\nbad", "503"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", "200"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "204"),
    ],
    ids=["an error", "another answer", "no body"],
)
async def test_an_answer_that_is_not_the_expected_one_is_failed(caller, servers, answer, status):
    servers[0].steps = [answer]
    request = await caller.send()
    assert (request.outcome, request.status) == ("failed", status)


async def test_an_answer_that_is_no_http_is_unknown(caller, servers):
    servers[0].steps = [b"hello\r\n"]
    assert (await caller.send()).outcome == "unknown"


async def test_after_the_ttl_requests_go_to_the_new_address_and_the_old_connection_closes(
    caller, world, servers
):
    first, second = servers
    await caller.send()
    world.names.addresses = [second.address]
    assert (await caller.send()).peer == first.address
    await caller.pass_ttl(world.names.ttl)
    assert (await caller.send()).peer == second.address
    (closed,) = await caller.connections("closed")
    assert closed.address == first.address
    assert [event.address for event in await caller.connections("open")] == [first.address, second.address]


async def test_a_busy_connection_to_an_old_address_finishes_and_is_not_used_again(caller, world, servers):
    first, second = servers
    world.names.ttl = 6
    first.steps = ["silent"]
    slow = asyncio.create_task(caller.send())
    while not first.requests:  # noqa: ASYNC110  # the server lives in another loop
        await asyncio.sleep(PATIENCE.poll)
    await caller.pass_ttl(world.names.ttl)
    world.names.addresses = [second.address]
    assert (await caller.send()).peer == second.address
    assert not await caller.connections("closed")
    slow.cancel()
    await asyncio.wait({slow})
    assert len(await caller.connections("closed")) == 1


async def test_a_name_that_is_gone_fails_and_is_remembered_for_a_while(caller, world, servers):
    world.names.addresses = None
    request = await caller.send()
    assert (request.outcome, request.status) == ("failed", "")
    assert "NXDOMAIN" in request.detail
    world.names.addresses = [servers[0].address]
    assert (await caller.send()).outcome == "failed"
    await caller.pass_ttl(PRODUCTION.client_negative_ttl)
    assert (await caller.send()).outcome == "ok"


async def test_a_closed_port_is_failed_and_the_next_address_is_tried(caller, world, servers):
    first, second = servers
    first.server.close()
    request = await caller.send()
    assert request.outcome == "failed"
    assert first.address in request.detail
    world.names.addresses = [first.address, second.address]
    await caller.pass_ttl(world.names.ttl)
    assert (await caller.send()).peer == second.address


async def test_a_certificate_of_another_host_is_failed(world, tmp_path, servers):
    with Journal(tmp_path / "other.ndjson") as journal:
        caller = Caller(world, journal)
        caller.client._host = "other.example.com"
        request = await caller.send()
    assert request.outcome == "failed"
    assert "certificate" in request.detail.lower()


async def test_an_idle_connection_is_closed_before_the_balancer_would(caller, servers):
    await caller.send()
    await caller.pass_ttl(PRODUCTION.client_keep_alive)
    await caller.send()
    assert servers[0].connections == 2
    assert [event.reason for event in await caller.connections("closed")] == [IDLE]


async def test_a_post_does_not_trust_a_connection_that_has_idled(caller, servers):
    await caller.send()
    await caller.pass_ttl(PRODUCTION.client_validate_after)
    await caller.send(RequestKind.REST_POST)
    assert servers[0].connections == 2


@pytest.mark.parametrize(
    ("idles", "crossing", "outcome", "retries"),
    [
        (True, PATIENCE.request, "ok", 1),
        (False, PATIENCE.request, "unknown", 0),
        (True, 0.0, "unknown", 0),  # the close came later: the peer had the request
    ],
)
async def test_a_request_that_crosses_the_end_of_a_long_idle_connection_is_sent_again(
    world, tmp_path, servers, monkeypatch, idles, crossing, outcome, retries
):
    monkeypatch.setattr(rest_client, "_CROSSING", crossing)
    servers[0].steps = ["ok", "drop", "ok"]
    with Journal(tmp_path / "requests.ndjson") as journal:
        caller = Caller(world, journal, "python-requests")
        await caller.send()
        if idles:
            await caller.pass_ttl(PRODUCTION.client_keep_alive)
        request = await caller.send(RequestKind.REST_POST)
        caller.client.close()
        await asyncio.sleep(PATIENCE.poll)
    assert (request.outcome, request.retries) == (outcome, retries)


async def test_a_close_that_waits_in_the_kernel_is_seen_before_the_next_use(world, tmp_path, servers):
    servers[0].steps = ["ok", "ok"]
    with Journal(tmp_path / "requests.ndjson") as journal:
        caller = Caller(world, journal, "python-requests")
        await caller.send()
        (connection,) = caller.client._idle
        assert not connection.is_stale()
        connection.idle_since -= rest_client._FRESH
        connection._transport.pause_reading()  # a loop that is too busy to read
        world.call(servers[0].hang_up())
        while not connection._poll.poll(0):  # noqa: ASYNC110  # the server lives in another loop
            await asyncio.sleep(PATIENCE.poll)
        assert (await caller.send(RequestKind.REST_POST)).outcome == "ok"
        caller.client.close()
        await asyncio.sleep(PATIENCE.poll)
    assert servers[0].connections == 2


@pytest.mark.parametrize(
    ("model", "connections", "last"),
    [("python-requests", 1, 0), ("java-http1", 2, 1), ("nginx", 3, 0), ("ttl-pool", 2, 1)],
)
async def test_a_model_does_after_a_move_what_its_library_does(
    world, tmp_path, servers, model, connections, last
):
    world.names.ttl = 25  # a busy machine may need a third of a second between the first two requests
    with Journal(tmp_path / "requests.ndjson") as journal:
        caller = Caller(world, journal, model)
        await caller.send()
        world.names.addresses = [servers[1].address]
        await caller.send()
        await caller.pass_ttl(30)
        request = await caller.send()
        caller.client.close()
        await asyncio.sleep(PATIENCE.poll)
    assert request.peer == servers[last].address
    assert sum(server.connections for server in servers) == connections


async def test_a_burst_waits_for_connections_rather_than_open_one_for_each_request(caller, servers):
    await asyncio.gather(*(caller.send() for _ in range(300)))
    assert servers[0].connections <= rest_client._LARGEST_POOL
    requests = [event for event in read(caller.plan.journal) if isinstance(event, Request)]
    assert [request.outcome for request in requests] == ["ok"] * 300
