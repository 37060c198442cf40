"""Calls of a service that nobody here knows, sent by the real clients to the backend that answers "
"anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest

from testbed.backend.any_service import HEALTH_CHECK
from testbed.backend.grpc_service import serve_grpc
from testbed.backend.rest_service import RestService
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.network import lease
from testbed.settings import Patience
from testbed.traffic import protos
from testbed.traffic.calls import Call, Shape
from testbed.traffic.ledger import Entry
from testbed.traffic.own_calls import OwnCalls
from testbed.traffic.plan import LONG, TrafficPlan, kind_of
from testbed.traffic.schedule import arrivals

PATH = "/shop.v1.Carts/Any"


@pytest.fixture
async def server() -> AsyncIterator[str]:
    with lease() as network:
        started = await serve_grpc("pod-0", network.control, 50051, any_method=True)
        yield f"{network.control}:50051"
        await started.stop(None)


@pytest.mark.parametrize("shape", ["unary", "server_stream", "client_stream", "bidi"])
async def test_a_method_of_any_shape_ends_ok(server: str, shape: Shape) -> None:
    async with grpc.aio.insecure_channel(server) as channel:
        call = Call("grpc", PATH, shape=shape, body=b"\x0a\x01a", headers=(("tenant", "a"),))
        entry = Entry("t-1", kind_of(call), 3, 0.0, call=call)
        sent = await OwnCalls(channel, interval=0.01).send(entry)
        assert await sent.code() is grpc.StatusCode.OK


async def test_a_stream_has_as_many_answers_as_it_asks_for(server: str) -> None:
    async with grpc.aio.insecure_channel(server) as channel:
        metadata = (("x-testbed-shape", "server_stream"), ("x-testbed-messages", "4"))
        assert [one async for one in channel.unary_stream(PATH)(b"", metadata=metadata)] == [b""] * 4


async def test_an_albs_own_health_check_stays_unknown(server: str) -> None:
    async with grpc.aio.insecure_channel(server) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await channel.unary_unary(HEALTH_CHECK)(b"")
        assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_call_that_is_refused_raises_its_status_in_every_shape() -> None:
    with lease() as network:
        started = await serve_grpc("pod-0", network.control, 50051)
        async with grpc.aio.insecure_channel(f"{network.control}:50051") as channel:
            own = OwnCalls(channel, interval=0.01)
            for shape in ("unary", "server_stream", "client_stream", "bidi"):
                call = Call("grpc", PATH, shape=shape)
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    await own.send(Entry("t-1", kind_of(call), 3, 0.0, call=call))
                assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
        await started.stop(None)


async def test_protos_are_asked_of_a_server_by_reflection() -> None:
    with lease() as network:
        started = await serve_grpc("pod-0", network.control, 50051)
        found = await asyncio.to_thread(protos.reflected, f"{network.control}:50051")
        method = found.method("measurement.v1.MeasurementService", "WatchMeasurements")
        await started.stop(None)
    assert method.shape == "server_stream"
    assert method.encode({"id": "a", "count": 2}) == b"\x0a\x01a\x10\x02"


def test_a_server_that_does_not_answer_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protos, "PATIENCE", Patience(api_call=0.2))
    told = "does not tell its protos: it does not answer"
    with lease() as network, pytest.raises(Missing, match=told):
        protos.reflected(f"{network.control}:50051")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_any_path_is_answered_in_the_place_of_a_service(method: str) -> None:
    service = RestService("pod-0", any_path=True)
    assert service.answer(method, "/measurements?x=1", b"").status == 200
    assert service.answer("GET", "/healthz", b"").body == {"status": "SERVING"}


def test_calls_come_in_proportion_to_their_shares() -> None:
    calls = (
        Call("grpc", PATH, share=3.0),
        Call("rest", "/carts", method="GET", share=1.0),
        Call("grpc", PATH, shape="bidi", share=0.2),
    )
    plan = TrafficPlan(
        run="t", clock=Clock(speed=60), journal=Path("j"), host="a.example.com", port=443, dns="127.0.0.1:53",
        ca_file=Path("ca"), calls=calls,
    )  # fmt: skip
    assert TrafficPlan.from_json(plan.to_json()) == plan
    schedule = arrivals(plan, 100.0)
    made = [next(schedule) for _ in range(4000)]
    counts = [sum(one.call is call for one in made) for call in calls]
    assert 2.5 < counts[0] / counts[1] < 3.5
    assert counts[2] > 50
    assert all((one.messages > 1) == (one.kind in LONG) for one in made)
