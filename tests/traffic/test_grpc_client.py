from __future__ import annotations

import asyncio
import time

import grpc

from testbed.journal import Connection, Journal, read
from testbed.settings import PRODUCTION
from testbed.traffic.grpc_client import AppClient, channel_options
from testbed.traffic.grpc_sockets import FlowWatch
from testbed.traffic.ledger import Entry, Ledger
from testbed.traffic.traffic_plan import ClientGroup, RequestKind


def answered_by(requests):
    return {request.peer for request in requests if request.outcome == "ok"}


def test_a_kept_connection_does_not_follow_the_name(world, balancers, traffic):
    old, new = balancers(2)
    world.names.addresses = [old.address]
    world.names.ttl = 0
    running = traffic(mix=world.grpc_only, rate=50.0)
    running.wait_for_more(50)
    world.names.addresses = [new.address]
    running.wait_for_more(100)
    running.stop()
    assert answered_by(running.requests()) == {old.address}
    assert new.accepted == 0


def test_a_connection_retired_by_goaway_moves_to_the_new_address_without_a_loss(
    world, target, balancers, traffic
):
    old, new = balancers(2, target.ageing)
    world.names.addresses = [old.address]
    running = traffic(mix=world.grpc_only, rate=100.0)
    running.wait_for_more(60)
    world.names.addresses = [new.address]
    running.wait_for(lambda: new.address in answered_by(running.requests()))
    running.wait_for(lambda: running.requests()[-1].peer == new.address)
    running.wait_for_more(200)
    running.stop()

    requests = running.requests()
    assert [request for request in requests if request.outcome != "ok"] == []
    events = running.events(Connection)
    opened = {event.id for event in events if event.state == "open"}
    assert opened == {event.id for event in events if event.state == "closed"}
    assert {event.address for event in events} == {old.address, new.address}


def test_a_model_that_the_library_plays_has_connections_of_its_own_name(world, target, balancers, traffic):
    old, new = balancers(2, target.ageing)
    world.names.addresses = [old.address]
    clients = (ClientGroup("grpcio", 1), ClientGroup("grpc-go", 2))
    running = traffic(mix=world.grpc_only, rate=100.0, clients=clients)
    running.wait_for_more(60)
    world.names.addresses = [new.address]
    running.wait_for(lambda: all(one.peer == new.address for one in running.requests()[-10:]))
    running.stop()

    requests = running.requests()
    assert [request for request in requests if request.outcome != "ok"] == []
    assert {request.client for request in requests} == {"grpcio-0", "grpc-go-0", "grpc-go-1"}
    events = running.events(Connection)
    for model in ("grpcio", "grpc-go"):
        mine = [event for event in events if event.client == model]
        assert all(event.id.startswith(f"{model}/") for event in mine)
        assert {event.address for event in mine} == {old.address, new.address}
        assert {event.id for event in mine if event.state == "open"} == {
            event.id for event in mine if event.state == "closed"
        }
    assert {event.client for event in events} == {"grpcio", "grpc-go"}


def test_a_reset_leaves_sent_calls_unknown_and_the_channel_connects_again(world, balancers, traffic):
    (balancer,) = balancers(1)
    world.names.addresses = [balancer.address]
    running = traffic(mix=world.grpc_only, rate=200.0)
    running.wait_for_more(150)
    before = time.time()
    world.call(balancer.reset())
    running.wait_for_more(200)
    running.stop()

    requests = running.requests()
    lost = [request for request in requests if request.outcome != "ok"]
    assert {request.shape for request in lost} & {"server_stream", "client_stream", "bidi"}
    assert {request.outcome for request in lost if request.sent < before} == {"unknown"}
    assert requests[-1].outcome == "ok"


def test_a_name_that_does_not_exist_fails_calls(world, traffic):
    world.names.addresses = None
    running = traffic(mix=world.grpc_only, rate=50.0)
    running.wait_for_more(20)
    running.stop()
    assert {request.outcome for request in running.requests()} == {"failed"}
    assert "Domain name not found" in running.requests()[0].detail
    world.names.addresses = []


def test_a_closed_port_fails_calls(world, traffic):
    world.names.addresses = [world.network.balancer(99, 0)]
    running = traffic(mix=world.grpc_only, rate=50.0)
    running.wait_for_more(20)
    running.stop()
    assert {request.outcome for request in running.requests()} == {"failed"}
    assert "failed to connect" in running.requests()[0].detail
    world.names.addresses = []


def test_an_error_answer_of_the_target_is_failed_and_names_the_pod(world, target, balancers, traffic):
    (balancer,) = balancers(1, target.orphaned)
    world.names.addresses = [balancer.address]
    running = traffic(rate=100.0)
    running.wait_for_more(60)
    running.stop()
    # A client stream that ends while a message is written gets a status of the library's own: unknown.
    writers = [request for request in running.requests() if request.shape in {"client_stream", "bidi"}]
    assert "ok" not in {request.outcome for request in writers}
    requests = [request for request in running.requests() if request not in writers]
    assert {request.outcome for request in requests} == {"failed"}
    assert {request.status for request in requests} == {"UNAVAILABLE", "503"}
    assert {request.pod for request in requests} == {"envoy-0"}


def test_streams_are_long_in_the_time_of_the_run(world, balancers, traffic):
    (balancer,) = balancers(1)
    world.names.addresses = [balancer.address]
    running = traffic(rate=100.0)
    running.wait_for_more(150)
    running.stop()
    clock = running.plan.clock
    streams = [request for request in running.requests() if request.shape != "unary"]
    assert streams
    assert all(
        clock.scaled(PRODUCTION.stream_least) * 0.95 <= request.time - request.sent for request in streams
    )


def test_the_delays_of_a_channel_are_those_of_grpc_core_in_the_time_of_the_run(world, tmp_path):
    options = dict(channel_options(world.plan(tmp_path / "unused")))
    assert options["grpc.dns_min_time_between_resolutions_ms"] == 500  # 30 s at speed 60
    assert options["grpc.initial_reconnect_backoff_ms"] == 17
    assert options["grpc.max_reconnect_backoff_ms"] == 2_000
    assert options["grpc.enable_http_proxy"] == 0
    assert not [name for name in options if "connect" in name and "reconnect" not in name]


async def test_a_call_that_is_lost_with_its_connection_was_by_the_family_of_that(world, tmp_path):
    class Relay:
        options = ()
        takes_all = True
        family = "ipv6"

        def close(self):
            pass

    world.names.addresses = None
    path = tmp_path / "lost.ndjson"
    with Journal(path) as journal:
        plan = world.plan(path)
        ledger, relay = Ledger(journal, plan.clock, plan.address), Relay()
        watch = FlowWatch(plan.port, ledger)
        client = AppClient("grpcio-0", plan, grpc.ssl_channel_credentials(), ledger, watch, None, relay)
        sent = asyncio.create_task(client.send(Entry("t-1", RequestKind.GRPC_UNARY, 1, ledger.wall())))
        await asyncio.sleep(0)
        relay.family = "ipv4"  # none is connected any more
        await sent
        await client.close()
        ledger.flush()
    [request] = read(path)
    assert (request.outcome, request.family) == ("failed", "ipv6")
