"""A port that leads to a Unix socket."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from testbed.aws.boto3_clients import Clients
from testbed.errors import Missing
from testbed.runtime.compose.service_client import Service
from testbed.runtime.compose.service_server import Server
from testbed.runtime.compose.socket_relay import Relay
from testbed.runtime.loop_thread import LoopThread


async def echo(request: web.Request) -> Any:
    return {"query": dict(request.query), "length": len(await request.read())}


def test_boto3_reaches_a_socket_by_the_relay(tmp_path: Path) -> None:
    server, relay = Server({"GET /echo": echo, "PUT /echo": echo}), Relay(tmp_path / "socket")
    with LoopThread() as loop:
        loop.run(server.start([], tmp_path / "socket"))
        loop.run(relay.start())
        relayed = Service("relayed", relay.url)
        assert relayed.get("/echo", x=1)["query"] == {"x": "1"}
        assert relayed.send("PUT", "/echo", "x" * 1_000_000)["length"] == 1_000_002
        assert Clients(relay.url).route53.meta.endpoint_url == relay.url
        loop.run(relay.stop())
        loop.run(server.stop())


def test_while_the_service_is_away_a_caller_sees_its_connection_end(tmp_path: Path) -> None:
    relay = Relay(tmp_path / "absent")
    with LoopThread() as loop:
        loop.run(relay.start())
        with pytest.raises(Missing, match="`relayed` does not answer"):
            Service("relayed", relay.url).get("/echo")
        loop.run(relay.stop())


def test_a_connection_that_is_kept_ends_with_the_relay(tmp_path: Path) -> None:
    relay = Relay(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        with LoopThread() as loop:
            loop.run(relay.start())
            address, port = relay.url.removeprefix("http://").split(":")
            kept = socket.create_connection((address, int(port)), timeout=5)
            far, _ = listener.accept()
            loop.run(relay.stop())
        with kept, far:
            far.settimeout(5)
            assert kept.recv(1) == b""
            assert far.recv(1) == b""
