from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from testbed.network import AWS_PORT, Network, lease
from testbed.real_controllers.confinement import Confinement
from testbed.real_controllers.network_namespace import LastingThread
from testbed.real_controllers.stream_relay import StreamServer


@pytest.fixture
def network() -> Network:
    with lease() as free:
        yield free


@pytest.fixture
def refused() -> list[str]:
    return []


@pytest.fixture(params=["in a namespace", "in the open"])
async def confinement(
    request: pytest.FixtureRequest,
    network: Network,
    tmp_path: Path,
    refused: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Confinement]:
    """A place beside an AWS endpoint that answers any request with its first line and its host."""
    if request.param == "in the open":
        monkeypatch.setattr("testbed.real_controllers.network_namespace._enter_new_namespace", _not_allowed)
    else:
        try:
            LastingThread(confined=True).close()
        except OSError:
            pytest.skip("a network namespace needs root")
    listening = socket_at(network.control, AWS_PORT)
    endpoint = StreamServer(listening, echo)
    await endpoint.start()
    place = Confinement(network, tmp_path, refused.append)
    await place.start()
    assert place.is_closed is (request.param == "in a namespace")
    yield place
    await place.stop()
    place.close()
    await endpoint.stop()


def _not_allowed() -> None:
    raise PermissionError(1, "Operation not permitted")


def socket_at(address: str, port: int):
    import socket

    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    made.listen()
    return made


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    host = next(line for line in head.split("\r\n") if line.lower().startswith("host:"))
    body = f"{head.splitlines()[0]} {host}".encode()
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    await writer.drain()
