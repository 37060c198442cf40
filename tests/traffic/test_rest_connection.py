from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from testbed.clock import Clock
from testbed.journal import Journal
from testbed.network import Network
from testbed.settings import PATIENCE
from testbed.traffic.grpc_sockets import Flow
from testbed.traffic.ledger import Ledger
from testbed.traffic.rest_connection import ConnectionLost, RestConnection

PORT = 8000
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok"
Connect = Callable[..., Awaitable[RestConnection]]


@pytest.fixture
async def forgotten() -> list[Flow]:
    """The flows of connections that are gone."""
    return []


@pytest.fixture
async def connect(network: Network, tmp_path: Path, forgotten: list[Flow]) -> AsyncIterator[Connect]:
    """Connects to a server that answers each read with the next of some bytes, and then closes."""
    servers: list[asyncio.Server] = []
    connections: list[RestConnection] = []
    with Journal(tmp_path / "journal.ndjson") as journal:
        ledger = Ledger(journal, Clock(), "a.example.com:80")

        async def make(*answers: bytes, is_kept: bool = True) -> RestConnection:
            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                for answer in answers:
                    if not await reader.read(1 << 16):
                        break
                    writer.write(answer)
                    await writer.drain()
                writer.close()

            servers.append(await asyncio.start_server(serve, network.control, PORT))
            flow = Flow(1234, network.control)
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: RestConnection("server-0", flow, ledger, forgotten.append, is_kept=is_kept),
                network.control,
                PORT,
            )
            connections.append(connection)
            return connection

        yield make
        for connection in connections:
            connection.close("the test ended")
        for server in servers:
            server.close()
        await asyncio.sleep(PATIENCE.poll)  # the loop closes sockets in a later turn
        ledger.flush()


async def test_an_answer_has_status_headers_in_lower_case_and_body(connect: Connect) -> None:
    connection = await connect(OK, OK)
    answer = await connection.exchange(b"GET / HTTP/1.1\r\n\r\n")
    assert (answer.status, answer.headers[b"x-a"], answer.body) == (200, b"b", b"ok")
    assert connection.is_reusable


@pytest.mark.parametrize(
    ("is_kept", "reason"),
    [(True, "the peer sent connection: close"), (False, "the client keeps no connection")],
)
async def test_who_asked_for_the_close_ended_the_connection(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, *, is_kept: bool, reason: str
) -> None:
    reasons: list[str] = []
    close = RestConnection.close
    monkeypatch.setattr(RestConnection, "close", lambda self, why: (reasons.append(why), close(self, why))[1])
    connection = await connect(OK.replace(b"\r\n", b"\r\nconnection: close\r\n", 1), is_kept=is_kept)
    await connection.exchange(b"GET / HTTP/1.1\r\n\r\n")
    assert reasons[0] == reason


async def test_an_interim_answer_is_not_the_answer(connect: Connect) -> None:
    connection = await connect(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK)
    assert (await connection.exchange(b"GET / HTTP/1.1\r\n\r\n")).status == 200


@pytest.mark.parametrize(
    ("answers", "answered", "reused"),
    [
        ((b"",), False, False),
        ((OK[:-1],), True, False),
        ((OK, b""), False, True),
        ((OK, OK[:20]), True, True),
    ],
    ids=["no byte", "a part", "no byte, used before", "a part, used before"],
)
async def test_a_lost_connection_knows_whether_it_was_answered_and_used_before(
    connect: Connect, answers: tuple[bytes, ...], answered: bool, reused: bool
) -> None:
    connection = await connect(*answers)
    for _ in answers[1:]:
        await connection.exchange(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(ConnectionLost) as lost:
        await connection.exchange(b"GET / HTTP/1.1\r\n\r\n")
    assert (lost.value.answered, lost.value.reused) == (answered, reused)
    assert not connection.is_reusable


async def test_an_answer_that_announces_the_close_ends_the_connection(connect: Connect) -> None:
    connection = await connect(OK.replace(b"X-A: b", b"Connection: close"), OK)
    assert (await connection.exchange(b"GET / HTTP/1.1\r\n\r\n")).status == 200
    assert not connection.is_reusable
    with pytest.raises(ConnectionLost):
        await connection.exchange(b"GET / HTTP/1.1\r\n\r\n")


async def test_bytes_that_are_no_http_close_the_connection_with_the_reason(connect: Connect) -> None:
    connection = await connect(b"SSH-2.0-x\r\n")
    with pytest.raises(ConnectionLost, match="not an HTTP answer: ") as lost:
        await connection.exchange(b"GET / HTTP/1.1\r\n\r\n")
    assert lost.value.answered


async def test_a_second_answer_without_a_request_closes_the_connection(connect: Connect) -> None:
    connection = await connect(OK + OK)
    assert (await connection.exchange(b"GET / HTTP/1.1\r\n\r\n")).body == b"ok"
    assert not connection.is_reusable


async def test_a_cancelled_exchange_closes_its_connection(
    connect: Connect, forgotten: list[Flow], tmp_path: Path
) -> None:
    connection = await connect(b"")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await connection.exchange(b"GET / HTTP/1.1\r\n\r\n")
    assert not connection.is_reusable
    await asyncio.sleep(PATIENCE.poll)  # the loop reports the end of a transport in a later turn
    assert forgotten == [connection.flow]
