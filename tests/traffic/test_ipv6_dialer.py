"""IPv6 clients connect to the port of `::1` that stands for a node, and to the next address if none does."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import dns.message
import dns.rdatatype
import dns.rrset
import grpc
import grpc.aio
import pytest

from testbed import ipv6_loopback, journal
from testbed.clock import Clock
from testbed.ipv6_loopback import NodePorts
from testbed.journal import Journal
from testbed.traffic.ipv6_dialer import Dialer, Relay, family_of
from testbed.traffic.ledger import Ledger

HOST, PORT = "api.example.com", 8443
FIRST, SECOND = "127.255.10.1", "127.255.11.1"

pytestmark = pytest.mark.skipif(not ipv6_loopback.is_available(), reason="this machine has no ::1")


class Names(asyncio.DatagramProtocol):
    """A DNS server that answers each question for A with the same addresses."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = addresses

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, sender: Any) -> None:
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query)
        if query.question[0].rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(query.question[0].name, 1, "IN", "A", *self.addresses))
        self.transport.sendto(answer.to_wire(), sender)


@pytest.fixture
async def node() -> AsyncIterator[tuple[int, list[str]]]:
    """A gRPC server on `::1`: its port, and the peers of the calls that it served."""
    server, peers = grpc.aio.server(), list[str]()

    async def answer(_request: bytes, context: Any) -> bytes:
        peers.append(context.peer())
        return b"answer"

    handlers = {"Get": grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("service", handlers),))
    port = server.add_insecure_port("[::1]:0")
    await server.start()
    yield port, peers
    await server.stop(None)


@pytest.fixture
def ports(tmp_path: Path) -> NodePorts:
    return NodePorts(tmp_path / "ports.json")


async def called(relay: Relay, addresses: Sequence[str]) -> bytes:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Names(addresses), ("127.0.0.1", 0))
    server = "{}:{}".format(*transport.get_extra_info("sockname"))
    options: list[tuple[str, Any]] = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
    try:
        async with grpc.aio.insecure_channel(
            f"dns://{server}/{HOST}:{PORT}", options=[*options, *relay.options]
        ) as channel:
            answer: bytes = await channel.unary_unary("/service/Get")(b"", timeout=30)
            assert relay.family == "ipv6"
            return answer
    finally:
        transport.close()


@pytest.mark.parametrize("addresses", [[FIRST, "127.80.11.1"], [SECOND, FIRST]], ids=["first", "second"])
async def test_a_grpc_channel_reaches_the_node_by_ipv6_and_passes_over_one_that_refuses(
    node: tuple[int, list[str]], ports: NodePorts, tmp_path: Path, addresses: list[str]
) -> None:
    port, peers = node
    ports.write({("::ffff:127.80.10.1", PORT): port})
    path = tmp_path / "journal.ndjson"
    with Journal(path) as written:
        ledger = Ledger(written, Clock(), f"{HOST}:{PORT}")
        relay = Relay(Dialer(ports), ledger)
        await relay.start()
        assert relay.family == "ipv4"  # nothing is connected yet
        assert await called(relay, addresses) == b"answer"
        relay.close()
        while relay.family == "ipv6":  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0)
        ledger.flush()
    assert [peer.startswith("ipv6:") for peer in peers] == [True]
    seen = [event for event in journal.read(path) if isinstance(event, journal.Connection)]
    assert [(event.state, event.address) for event in seen] == [
        ("open", "::ffff:127.80.10.1"),
        ("closed", "::ffff:127.80.10.1"),
    ]


def test_a_stand_in_leads_to_ipv6_and_any_other_address_to_itself(ports: NodePorts) -> None:
    ports.write({("::ffff:127.80.10.1", PORT): 17040})
    dialer = Dialer(ports)
    found = dialer.destination(FIRST, PORT)
    assert dataclasses.astuple(found) == (socket.AF_INET6, "::1", 17040, "::ffff:127.80.10.1")
    plain = dialer.destination("127.80.10.1", PORT)
    assert dataclasses.astuple(plain) == (socket.AF_INET, "127.80.10.1", PORT, "127.80.10.1")
    assert (family_of(FIRST), family_of("127.80.10.1")) == ("ipv6", "ipv4")


def test_a_node_without_a_listener_refuses(ports: NodePorts) -> None:
    for dialer in (Dialer(ports), Dialer(None)):
        with pytest.raises(ConnectionRefusedError):
            dialer.destination(FIRST, PORT)
