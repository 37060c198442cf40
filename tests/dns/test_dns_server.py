from __future__ import annotations

import asyncio
import random
import shutil
import socket
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path

import dns.asyncquery
import dns.asyncresolver
import dns.flags
import dns.message
import dns.resolver
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.clock import Clock
from testbed.dns.dns_server import DnsServer
from testbed.dns.hosted_zone import Zones
from testbed.errors import Missing
from testbed.journal import DnsAnswer, Journal, read
from testbed.network import Network
from tests.dns.zones_of_route53 import ADDRESSES, ALB, NLB, alias, around, record, zones

LONG = [f'"{number:03d} {"x" * 100}"' for number in range(30)]
SERVED = zones(
    alias("api.example.com.", NLB),
    record("\\052.wild.example.com.", "A", "10.0.0.9"),
    record("long.example.com.", "TXT", *LONG),
    record("medium.example.com.", "TXT", *LONG[:4]),
)


@pytest.fixture
async def server(network: Network) -> AsyncIterator[DnsServer]:
    async with DnsServer(
        network.dns, network.dns_port, lambda: SERVED, around(chance=random.Random(1))
    ) as running:
        yield running


def resolver(server: DnsServer) -> dns.asyncresolver.Resolver:
    one = dns.asyncresolver.Resolver(configure=False)
    one.nameservers, one.port = [server.address], server.port
    return one


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_a_resolver_finds_the_alias(server: DnsServer, tcp: bool) -> None:
    found = await resolver(server).resolve("api.example.com", "A", tcp=tcp)
    assert sorted(one.to_text() for one in found) == sorted(ADDRESSES[NLB])
    assert found.rrset is not None
    assert found.rrset.ttl == 60


async def test_a_resolver_sees_no_name_no_data_and_refusal(server: DnsServer) -> None:
    asking = resolver(server)
    with pytest.raises(dns.resolver.NXDOMAIN):
        await asking.resolve("no.example.com", "A")
    with pytest.raises(dns.resolver.NoAnswer):
        await asking.resolve("api.example.com", "AAAA")
    with pytest.raises(dns.resolver.NoNameservers, match="REFUSED"):
        await asking.resolve("example.org", "A")
    assert (await asking.resolve("A.Wild.example.com", "A"))[0].to_text() == "10.0.0.9"


async def test_a_long_answer_is_cut_over_udp_and_whole_over_tcp(server: DnsServer) -> None:
    query = dns.message.make_query("long.example.com", "TXT")
    where = {"port": server.port, "timeout": 5}
    cut = await dns.asyncquery.udp(query, server.address, **where)
    assert cut.flags & dns.flags.TC
    assert not cut.answer
    whole, over_tcp = await dns.asyncquery.udp_with_fallback(query, server.address, **where)
    assert over_tcp
    assert len(whole.answer[0]) == 30
    edns = dns.message.make_query("long.example.com", "TXT", use_edns=0, payload=4096)
    assert len((await dns.asyncquery.udp(edns, server.address, **where)).answer[0]) == 30


async def test_the_servers_names_are_left_out_before_an_answer_is_cut(server: DnsServer) -> None:
    query = dns.message.make_query("medium.example.com", "TXT", flags=0)
    got = await dns.asyncquery.udp(query, server.address, port=server.port, timeout=5)
    assert not got.flags & dns.flags.TC
    assert len(got.answer[0]) == 4
    assert got.authority == []


async def test_the_question_comes_back_in_the_spelling_of_the_client(server: DnsServer) -> None:
    query = dns.message.make_query("ApI.eXaMpLe.com", "A")
    got = await dns.asyncquery.udp(query, server.address, port=server.port, timeout=5)
    assert got.answer[0].name.to_text() == "ApI.eXaMpLe.com."
    assert got.flags & dns.flags.AA
    assert not got.flags & dns.flags.RA


@given(st.binary(max_size=80), st.integers(0, 40), st.integers(0, 255))
def test_no_bytes_break_the_server(rubbish: bytes, position: int, byte: int) -> None:
    good = bytearray(dns.message.make_query("api.example.com", "A", use_edns=0).to_wire())
    good[position % len(good)] = byte
    server = DnsServer("127.0.0.1", 0, lambda: SERVED, around())
    for wire in (rubbish, bytes(good), bytes(good) + rubbish):
        sent = server.respond(wire)
        assert sent is None or dns.message.from_wire(sent).flags & dns.flags.QR


async def test_a_taken_port_is_reported_in_one_line(server: DnsServer) -> None:
    with pytest.raises(Missing, match=rf"^DNS: {server.address}:{server.port} is taken; stop"):
        await DnsServer(server.address, server.port, Zones, around()).start()


async def test_a_port_that_only_udp_lacks_is_reported_and_tcp_released(network: Network) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((network.dns, network.dns_port))
        with pytest.raises(Missing, match="is taken"):
            await DnsServer(network.dns, network.dns_port, Zones, around()).start()
    async with DnsServer(network.dns, network.dns_port, Zones, around()):
        pass


async def test_an_open_tcp_connection_does_not_hold_up_the_end(network: Network) -> None:
    server = DnsServer(network.dns, network.dns_port, lambda: SERVED, around())
    await server.start()
    reader, writer = await asyncio.open_connection(server.address, server.port)
    wire = dns.message.make_query("api.example.com", "A").to_wire()
    for _ in range(2):  # several questions in one connection
        writer.write(struct.pack("!H", len(wire)) + wire)
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        assert dns.message.from_wire(await reader.readexactly(length)).answer
    async with asyncio.timeout(2):
        await server.stop()
        assert await reader.read() == b""
    writer.close()


def test_the_journal_has_an_answer_only_when_it_changes(tmp_path: Path) -> None:
    now = [zones(alias("api.example.com.", NLB))]
    path = tmp_path / "journal.ndjson"
    with Journal(path) as journal:
        server = DnsServer("127.0.0.1", 0, lambda: now[0], around(), journal=journal, clock=Clock())
        wire = dns.message.make_query("API.example.com", "A").to_wire()
        for _ in range(20):
            server.respond(wire)
        now[0] = zones(alias("api.example.com.", ALB))
        server.respond(wire)
        now[0] = zones()
        server.respond(wire)
    events = [event for event in read(path) if isinstance(event, DnsAnswer)]
    assert [(event.name, event.rcode, tuple(event.answers), event.ttl) for event in events] == [
        ("api.example.com", "NOERROR", tuple(sorted(ADDRESSES[NLB])), 60),
        ("api.example.com", "NOERROR", tuple(sorted(ADDRESSES[ALB])), 60),
        ("api.example.com", "NXDOMAIN", (), 900),
    ]


def test_an_answer_needs_less_than_a_quarter_of_a_millisecond_of_cpu() -> None:
    server = DnsServer("127.0.0.1", 0, lambda: SERVED, around())
    wire = dns.message.make_query("api.example.com", "A", use_edns=0).to_wire()

    def seconds_for_an_answer() -> float:
        began = time.process_time()
        for _ in range(200):
            server.respond(wire)
        return (time.process_time() - began) / 200

    assert min(seconds_for_an_answer() for _ in range(8)) < 0.00025


async def test_grpc_finds_the_balancer_through_the_server(server: DnsServer) -> None:
    """A grpcio channel asks this server; both addresses refuse, and its error names them."""
    import grpc

    target = f"dns://{server.address}:{server.port}/api.example.com:9"
    async with grpc.aio.insecure_channel(target) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/a/b")(b"", timeout=10)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert any(address in caught.value.details() for address in ADDRESSES[NLB])


@pytest.mark.skipif(not shutil.which("dig"), reason="dig is not installed")
async def test_dig_shows_the_alias(server: DnsServer) -> None:
    command = [
        "dig",
        f"@{server.address}",
        "-p",
        str(server.port),
        "api.example.com",
        "A",
        "+noall",
        "+answer",
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    lines = sorted(line.split() for line in output.decode().splitlines())
    assert [line[1:] for line in lines] == [["60", "IN", "A", address] for address in sorted(ADDRESSES[NLB])]
