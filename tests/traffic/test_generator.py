from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections import Counter

import pytest

from testbed.clock import Clock
from testbed.journal import CLIENTS_STOPPED, Connection, Journal, TrafficStopped, read
from testbed.traffic.generator import Generator
from testbed.traffic.traffic_plan import ClientGroup


@pytest.fixture
def balancer(world, balancers):
    (balancer,) = balancers(1)
    world.names.addresses = [balancer.address]
    return balancer


def test_every_kind_of_request_is_served_and_accounted_for(world, balancer, traffic):
    running = traffic(rate=200.0)
    running.wait_for_more(300)
    stopped = running.stop()

    requests = running.requests()
    assert [request for request in requests if request.outcome != "ok"] == []
    assert stopped.sent == stopped.finished == stopped.scheduled == len(requests)
    assert stopped.never_started == 0
    assert {request.shape for request in requests} == {"unary", "server_stream", "client_stream", "bidi"}
    assert {request.peer for request in requests} == {balancer.address}
    assert {request.pod for request in requests} == {"envoy-0"}
    assert {request.listener for request in requests} == {"tls"}
    assert len({request.id for request in requests}) == len(requests)
    assert all(request.intended <= request.sent <= request.time for request in requests)


def test_each_app_client_has_a_connection_of_its_own(world, balancer, traffic):
    running = traffic(mix=world.grpc_only, clients=(ClientGroup("grpcio", 5),))
    running.wait_for_more(100)
    running.stop()
    opened = [event for event in running.events(Connection) if event.state == "open"]
    assert len(opened) == 5
    assert {event.address for event in opened} == {balancer.address}
    assert balancer.accepted == 5


def test_connections_that_stand_at_the_end_are_said_to_be_closed_by_the_clients(world, balancer, traffic):
    running = traffic(clients=(ClientGroup("grpcio", 2), ClientGroup("python-requests", 1)))
    running.wait_for_more(100)
    running.stop()
    ended = [event for event in running.events(Connection) if event.reason == CLIENTS_STOPPED]
    assert {event.client.rstrip("-0123456789") for event in ended} == {"grpcio", "python-requests"}


def test_connections_that_the_target_retires_cost_no_request(world, target, balancers, traffic):
    (balancer,) = balancers(1, target.ageing)
    world.names.addresses = [balancer.address]
    running = traffic(rate=200.0, mix=world.rest_only)
    running.wait_for_more(500)
    running.stop()
    assert [request for request in running.requests() if request.outcome != "ok"] == []
    assert "the peer sent connection: close" in {event.reason for event in running.events(Connection)}


def test_it_does_not_wait_for_a_server_that_never_answers(world, traffic):
    address = world.network.balancer(90, 0)
    world.names.addresses = [address]
    with socket.create_server((address, 8443), backlog=100):
        running = traffic(rate=200.0, max_in_flight=40)
        world.call(asyncio.sleep(0.6))
        os.kill(running.process.pid, signal.SIGTERM)
        assert running.process.wait(10) == 0, running.process.last_words()
    (stopped,) = running.events(TrafficStopped)
    assert stopped.scheduled > 80
    assert stopped.sent == stopped.finished == len(running.requests()) == 40
    assert "ok" not in {request.outcome for request in running.requests()}


def test_too_many_in_flight_are_counted_as_never_started(world, balancer, traffic):
    running = traffic(rate=300.0, max_in_flight=1)
    running.wait_for_more(50)
    stopped = running.stop()
    assert stopped.never_started > 0
    assert stopped.scheduled == stopped.sent + stopped.never_started
    assert stopped.sent == stopped.finished == len(running.requests())


def test_a_paused_plan_waits_for_resume(world, balancer, traffic):
    running = traffic(paused=True)
    running.process.send("resume")
    running.wait_for_more(20)
    running.process.send("pause")
    running.process.send("rate 300")
    running.wait_for_more(300)
    assert running.stop().never_started == 0


def test_a_generator_that_never_sent_says_so(traffic):
    running = traffic(paused=True)
    assert running.stop().scheduled == 0


@pytest.mark.parametrize("how", ["SIGTERM", "end of input"])
def test_it_finishes_what_is_in_flight_however_it_is_stopped(world, balancer, traffic, how):
    running = traffic(rate=200.0)
    running.wait_for_more(100)
    if how == "SIGTERM":
        os.kill(running.process.pid, signal.SIGTERM)
    else:
        running.process._child.stdin.close()
    assert running.process.wait(10) == 0, running.process.last_words()
    (stopped,) = running.events(TrafficStopped)
    assert stopped.sent == stopped.finished == len(running.requests())
    assert Counter(request.outcome for request in running.requests()) == {"ok": stopped.sent}


def test_a_hurried_stop_leaves_what_does_not_finish_unknown(world, balancer, traffic):
    running = traffic(rate=100.0, clock=Clock(speed=1.0))
    running.wait_for_more(100)
    os.kill(running.process.pid, signal.SIGTERM)
    assert running.process.wait(10) == 0, running.process.last_words()
    (stopped,) = running.events(TrafficStopped)
    assert stopped.sent == stopped.finished == len(running.requests())
    unfinished = [request for request in running.requests() if request.outcome != "ok"]
    assert {request.outcome for request in unfinished} == {"unknown"}
    assert "unary" not in {request.shape for request in unfinished}


def test_a_stall_shows_as_start_lag_and_loses_nothing(world, balancer, traffic):
    running = traffic(rate=200.0)
    running.wait_for_more(50)
    finished = running.finished()
    os.kill(running.process.pid, signal.SIGSTOP)
    world.call(asyncio.sleep(0.3))
    os.kill(running.process.pid, signal.SIGCONT)
    running.wait_for(lambda: running.finished() > finished + 100)
    stopped = running.stop()
    assert stopped.sent == stopped.scheduled
    assert max(request.sent - request.intended for request in running.requests()) > 0.2


async def test_a_generator_without_a_rate_closes_its_ledger_when_it_is_stopped(world, tmp_path):
    plan = world.plan(tmp_path / "journal.ndjson", paused=True)
    with Journal(plan.journal) as journal:
        generator = Generator(plan, journal)
        running = asyncio.create_task(generator.run())
        await asyncio.sleep(0)
        generator.stop()
        generator.set_rate(100.0)  # too late: a stopped generator stays stopped
        await running
    (stopped,) = (event for event in read(plan.journal) if isinstance(event, TrafficStopped))
    assert (stopped.scheduled, stopped.sent, stopped.never_started) == (0, 0, 0)
