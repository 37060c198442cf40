"""A resolver on a socket: what clients hear from it, gRPC's own resolver included."""

from __future__ import annotations

import contextlib

import dns.asyncquery
import dns.message
import pytest

from testbed.clock import Clock
from testbed.dns.dns_server import DnsServer
from testbed.journal import Connection
from testbed.resolvers.known_resolvers import resolver
from testbed.resolvers.resolver_model import Outcome
from testbed.settings import PATIENCE
from testbed.traffic.dns_questions import ask
from testbed.traffic.resolver_server import ResolverServer
from testbed.traffic.traffic_plan import ClientGroup
from tests.dns.zones_of_route53 import around, record, zones

HOST = "api.example.com"


@pytest.fixture
def names(world):
    world.names.addresses = ["127.80.10.1"]
    world.names.questions = 0
    yield world.names
    world.names.addresses = []
    world.names.is_silent = False


@contextlib.asynccontextmanager
async def listening(world, name: str, speed: float = 1.0):
    upstream = (world.network.dns, world.network.dns_port)
    server = await ResolverServer.open(resolver(name), upstream, Clock(speed=speed))
    try:
        yield server.server
    finally:
        await server.close()


async def test_a_second_question_is_answered_from_the_cache_with_what_is_left_of_the_ttl(world, names):
    async with listening(world, "dnsmasq", speed=600.0) as server:
        first = await ask(HOST, "A", server)
        while (await ask(HOST, "A", server)).ttl == first.ttl:
            pass
    assert first.addresses == ("127.80.10.1",)
    assert first.ttl == 60.0
    assert names.questions == 1


async def test_no_such_name_is_kept_when_the_name_is_back(world, names):
    names.addresses = None
    async with listening(world, "nscd") as server:
        assert (await ask(HOST, "A", server)).outcome is Outcome.NO_NAME
        names.addresses = ["127.80.10.1"]
        assert (await ask(HOST, "A", server)).outcome is Outcome.NO_NAME


async def test_direct_passes_each_question_on(world, names):
    async with listening(world, "direct") as server:
        for _ in range(3):
            await ask(HOST, "A", server)
    assert names.questions == 3


async def test_a_resolver_hears_the_record_of_its_own_region(network):
    served = zones(
        record("api.example.com.", "A", "10.0.0.1", SetIdentifier="a", Region="us-east-1"),
        record("api.example.com.", "A", "10.0.0.2", SetIdentifier="b", Region="eu-west-1"),
    )
    async with DnsServer(network.dns, network.dns_port, lambda: served, around()) as authority:
        upstream, heard = (authority.address, authority.port), []
        for region in ("us-east-1", "eu-west-1"):
            server = await ResolverServer.open(resolver("direct"), upstream, Clock(), region)
            heard.append((await ask(HOST, "A", server.server)).addresses)
            await server.close()
    assert heard == [("10.0.0.1",), ("10.0.0.2",)]


async def test_other_types_are_the_authoritys_business(world, names):
    async with listening(world, "unbound") as (address, port):
        query = dns.message.make_query(HOST, "TXT")
        response = await dns.asyncquery.udp(query, address, port=port, timeout=PATIENCE.dns_query)
    assert not response.answer
    assert names.questions == 1


async def test_what_is_no_question_is_not_answered_and_does_no_harm(world, names):
    async with listening(world, "unbound") as server:
        made = ResolverServer(resolver("unbound"), server, Clock())
        made.datagram_received(b"\0" * 5, server)
        assert (await ask(HOST, "A", server)).addresses == ("127.80.10.1",)


def test_grpc_and_rest_ask_the_resolver_of_their_group(world, balancers, traffic):
    """A floor of an hour: after a flip nobody hears of the new balancer, however short the TTL."""
    old, new = balancers(2)
    world.names.addresses, world.names.ttl = [old.address], 0
    groups = (ClientGroup("grpcio", 1, "ttl-floor:1h"), ClientGroup("ttl-pool", 1, "ttl-floor:1h"))
    running = traffic(clients=groups)
    running.wait_for_more(20)
    world.names.addresses = [new.address]
    world.call(old.reset())
    running.wait_for_more(60)
    running.stop()
    assert new.accepted == 0
    assert {event.address for event in running.events(Connection)} == {old.address}
    assert {request.client for request in running.requests()} == {"grpcio-0", "ttl-pool-0"}
