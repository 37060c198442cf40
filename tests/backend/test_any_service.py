from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest

from testbed.backend.any_service import HEALTH_CHECK, AnyMethod
from testbed.network import Network

PATH = "/shop.v1.Carts/Any"


@pytest.fixture
async def channel(network: Network) -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers([AnyMethod()])
    server.add_insecure_port(f"{network.control}:50051")
    await server.start()
    options = [("grpc.enable_http_proxy", 0)]
    async with grpc.aio.insecure_channel(f"{network.control}:50051", options) as made:
        yield made
    await server.stop(None)


async def test_a_method_of_any_name_answers_one_empty_message(channel: grpc.aio.Channel) -> None:
    assert await channel.unary_unary(PATH)(b"\x0a\x01a") == b""
    assert await channel.stream_unary(PATH)(iter([b"1", b"2"])) == b""


async def test_a_server_stream_has_as_many_answers_as_its_metadata_says(channel: grpc.aio.Channel) -> None:
    metadata = (("x-testbed-shape", "server_stream"), ("x-testbed-messages", "4"))
    assert [answer async for answer in channel.unary_stream(PATH)(b"", metadata=metadata)] == [b""] * 4


async def test_a_bidirectional_stream_answers_each_message(channel: grpc.aio.Channel) -> None:
    metadata = (("x-testbed-shape", "bidi"),)
    call = channel.stream_stream(PATH)(iter([b"1", b"2", b"3"]), metadata=metadata)
    assert [answer async for answer in call] == [b""] * 3


async def test_the_default_health_check_of_an_alb_stays_unimplemented(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await channel.unary_unary(HEALTH_CHECK)(b"")
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
