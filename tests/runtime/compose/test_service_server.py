"""The server of a service: where it listens, and which answers carry an error."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from testbed.errors import BadInput, Missing
from testbed.network import Network
from testbed.runtime.compose.service_client import REFUSED
from testbed.runtime.compose.service_server import Server
from testbed.runtime.loop_thread import LoopThread

PORT = 7070


async def fine(_: web.Request) -> Any:
    return {"a": [1]}


async def refuse(_: web.Request) -> Any:
    raise BadInput("a wrong manifest")


async def fail(_: web.Request) -> Any:
    raise ValueError("a bug")


ROUTES = {"GET /fine": fine, "GET /refuse": refuse, "GET /fail": fail}


def status_and_body(address: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, PORT, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_only_an_error_of_the_testbed_is_sent_as_one(network: Network) -> None:
    server = Server(ROUTES)
    with LoopThread() as loop:
        loop.run(server.start([(network.control, PORT), (network.dns, PORT)]))
        assert status_and_body(network.control, "/fine") == (200, b'{"a":[1]}')
        assert status_and_body(network.dns, "/fine") == (200, b'{"a":[1]}')
        status, body = status_and_body(network.control, "/refuse")
        assert (status, b"a wrong manifest" in body) == (REFUSED, True)
        assert status_and_body(network.control, "/fail")[0] == 500
        assert status_and_body(network.control, "/nowhere")[0] == 404
        loop.run(server.stop())
    with pytest.raises(OSError, match="refused"):
        status_and_body(network.control, "/fine")


def test_a_taken_address_is_missing_and_nothing_is_left_listening(network: Network, tmp_path: Path) -> None:
    first, second = Server(ROUTES), Server(ROUTES)
    with LoopThread() as loop:
        loop.run(first.start([(network.control, PORT)]))
        with pytest.raises(Missing, match=r"127\.\d+\.0\.1"):
            loop.run(second.start([(network.dns, PORT), (network.control, PORT)], tmp_path / "socket"))
        with pytest.raises(OSError, match="refused"):
            status_and_body(network.dns, "/fine")
        loop.run(first.stop())
