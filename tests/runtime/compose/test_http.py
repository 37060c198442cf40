"""A service of the composed topology and who asks it, over both ways of asking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from testbed.aws.clients import Clients
from testbed.clock import Clock
from testbed.errors import BadInput, Missing
from testbed.network import Network
from testbed.runtime.compose import messages
from testbed.runtime.compose.http import Service
from testbed.runtime.compose.relay import Relay
from testbed.runtime.compose.server import Server
from testbed.runtime.loop import LoopThread
from testbed.runtime.setup import Setup

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


def test_a_taken_address_is_told(network: Network, socket: Path) -> None:
    with LoopThread() as loop, pytest.raises(Missing, match=r"127\.\d+\.0\.1"):
        loop.run(Server({"GET /echo": echo}).start([(network.control, PORT)]))


def test_boto3_reaches_a_socket_by_the_relay(socket: Path) -> None:
    relay = Relay(socket)
    with LoopThread() as loop:
        loop.run(relay.start())
        answer = Service("relayed", relay.url).get("/echo", x=1)
        loop.run(relay.stop())
    assert answer["query"] == {"x": "1"}
    assert Clients(relay.url).route53.meta.endpoint_url == relay.url


def test_a_run_arrives_as_it_was_ordered() -> None:
    setup = Setup("api.example.com", "example.com", "v0.22", ["--source=service"], None, 7)
    clock = Clock(60.0, 1.0, 2.0)
    assert messages.read_run(messages.run(setup, clock)) == (setup, clock)


@pytest.mark.parametrize("error", [Missing("no Envoy", do="install it"), BadInput("bad")], ids=str)
def test_an_error_keeps_its_exit_code_and_its_words(error: Missing | BadInput) -> None:
    told = messages.raised(messages.error(error))
    assert (type(told), str(told), told.exit_code) == (type(error), str(error), error.exit_code)
