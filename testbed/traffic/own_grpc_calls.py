"""Sends gRPC calls of the user's own service: encoded bytes go out, and answers are not decoded.

A call is answered when it ends with OK and, if it is unary, with one message. The library guarantees the
rest: a stream that lost a message does not end with OK.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from testbed.backend.grpc_methods import INTERVAL, MESSAGES, SHAPE
from testbed.settings import PATIENCE
from testbed.traffic.calls import Call
from testbed.traffic.ledger import Entry


class OwnCalls:
    """The calls of one channel; `interval` is wall seconds between two messages of a stream."""

    def __init__(self, channel: grpc.aio.Channel, interval: float) -> None:
        self._interval = interval
        self._constructors: dict[str, Callable[..., Callable[..., Any]]] = {
            "unary": channel.unary_unary,
            "server_stream": channel.unary_stream,
            "client_stream": channel.stream_unary,
            "bidi": channel.stream_stream,
        }
        self._multicallables: dict[tuple[str, str], Callable[..., Any]] = {}

    async def send(self, entry: Entry) -> grpc.aio.Call:
        """Send the call of an entry and wait for its end.

        Raises:
            AioRpcError: it ends with a status other than OK.
        """
        call = entry.call
        assert call
        key = call.shape, call.path
        if key not in self._multicallables:
            self._multicallables[key] = self._constructors[call.shape](call.path, None, None)
        if call.shape == "unary":
            metadata = (("x-request-id", entry.id), *call.headers)
            sent = self._multicallables[key](call.body, metadata=metadata, timeout=PATIENCE.request)
            await sent
            return sent
        return await self._stream(self._multicallables[key], call, entry)

    async def _stream(self, start: Callable[..., Any], call: Call, entry: Entry) -> grpc.aio.Call:
        metadata = (
            ("x-request-id", entry.id),
            (SHAPE, call.shape),
            (MESSAGES, str(entry.messages)),
            (INTERVAL, f"{self._interval:.4f}"),
            *call.headers,
        )
        timeout = self._interval * entry.messages + PATIENCE.request
        if call.shape == "server_stream":
            sent = start(call.body, metadata=metadata, timeout=timeout)
            async for _ in sent:
                pass
            return sent
        sent = start(metadata=metadata, timeout=timeout)
        # Beside the reading: only the user's server knows when it answers, and it may do so before the last
        # message.
        writing = asyncio.create_task(self._write(sent, call.body, entry.messages))
        try:
            if call.shape == "client_stream":
                await sent
            else:
                while await sent.read() is not grpc.aio.EOF:
                    pass
                await raise_for_status(sent)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        return sent

    async def _write(self, sent: Any, body: bytes, messages: int) -> None:
        try:
            for number in range(messages):
                if number:
                    await asyncio.sleep(self._interval)
                await sent.write(body)
            await sent.done_writing()
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
            return  # the call ended during a write; its reader gets the status


async def raise_for_status(call: grpc.aio.Call) -> None:
    """Wait for the end of a call that was read by hand; raise its status if it is an error."""
    code = await call.code()
    if code is not grpc.StatusCode.OK:
        raise grpc.aio.AioRpcError(
            code,
            await call.initial_metadata(),
            await call.trailing_metadata(),
            await call.details(),
        )
