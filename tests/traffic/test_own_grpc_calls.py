from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest

from testbed.backend.grpc_service import serve_grpc
from testbed.network import lease
from testbed.traffic.calls import Call, Shape
from testbed.traffic.ledger import Entry
from testbed.traffic.own_grpc_calls import OwnCalls
from testbed.traffic.traffic_plan import kind_of

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
