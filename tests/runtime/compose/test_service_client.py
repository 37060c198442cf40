"""A service of the composed topology and who asks it, over both ways of asking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from testbed.errors import BadInput, Missing
from testbed.network import Network
from testbed.runtime.compose.service_client import Service
from testbed.runtime.compose.service_server import Server
from testbed.runtime.loop_thread import LoopThread

PORT = 7070


async def echo(request: web.Request) -> Any:
    return {"query": dict(request.query), "body": (await request.read()).decode()}


async def refuse(_: web.Request) -> Any:
    raise BadInput("a wrong manifest", do="mend it")


async def blob(_: web.Request) -> Any:
    return b"two\nlines\n"


@pytest.fixture
def socket(network: Network, tmp_path: Path) -> Iterator[Path]:
    """A service that listens at the network's control address, and on this socket."""
    server = Server({"GET /echo": echo, "PUT /echo": echo, "GET /refuse": refuse, "GET /blob": blob})
    with LoopThread() as loop:
        loop.run(server.start([(network.control, PORT)], tmp_path / "socket"))
        yield tmp_path / "socket"
        loop.run(server.stop())


@pytest.fixture(params=["tcp", "unix"])
def service(request: pytest.FixtureRequest, network: Network, socket: Path) -> Service:
    return Service("it", f"http://{network.control}:{PORT}" if request.param == "tcp" else f"unix:{socket}")


def test_questions_and_documents_arrive_whole(service: Service) -> None:
    assert service.get("/echo", name="a b&c") == {"query": {"name": "a b&c"}, "body": ""}
    assert service.send("PUT", "/echo", {"ä": [1]})["body"] == '{"ä":[1]}'
    assert service.raw("/blob") == b"two\nlines\n"


def test_a_refusal_is_the_same_error_on_the_other_side(service: Service) -> None:
    with pytest.raises(BadInput, match=r"^a wrong manifest; mend it$"):
        service.get("/refuse")


def test_a_service_that_is_away_is_told_in_one_line(network: Network, tmp_path: Path) -> None:
    for url in (f"http://{network.control}:{PORT}", f"unix:{tmp_path / 'none'}"):
        with pytest.raises(Missing, match="the service `it` does not answer"):
            Service("it", url).get("/echo")
