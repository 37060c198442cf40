import asyncio
import contextlib
import socket

from testbed.real_controllers.stream_relay import StreamServer, relay


def listening() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen()
    return made


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.read()).upper())
    await writer.drain()


async def test_what_either_end_sends_reaches_the_other() -> None:
    far, near = listening(), listening()
    far_address, near_address = far.getsockname(), near.getsockname()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await relay((reader, writer), await asyncio.open_connection(*far_address))

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        await writer.drain()

    servers = StreamServer(far, echo), StreamServer(near, pass_on)
    for server in servers:
        await server.start()
    reader, writer = await asyncio.open_connection(*near_address)
    writer.write(b"word\n")
    assert await reader.read() == b"WORD\n"
    writer.close()
    await writer.wait_closed()
    for server in servers:
        await server.stop()


async def test_the_end_of_the_server_ends_a_caller_that_says_nothing() -> None:
    socket_ = listening()
    address = socket_.getsockname()
    server = StreamServer(socket_, shout)
    await server.start()
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"word")
    await writer.drain()
    await server.stop()
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
