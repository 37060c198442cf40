"""Passes bytes between two connections, and serves callers whose connections end with the server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from typing import Any

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
_CHUNK = 1 << 16


async def relay(near: Stream, far: Stream, carry: Answer | None = None) -> None:
    """Pass on what either end sends until both have ended, and close both.

    Args:
        carry: passes on one direction and closes its writer; by default as fast as it comes.
    """
    carry = carry or _pass_on
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(carry(near[0], far[1]))
            both.create_task(carry(far[0], near[1]))
    finally:
        far[1].close()
        near[1].close()


class StreamServer:
    """Answers the callers of a socket that listens. `start` and `stop` run in the servers' loop."""

    def __init__(self, listening: socket.socket, answer: Answer) -> None:
        self._listening, self._answer = listening, answer
        self._server: asyncio.Server | None = None
        self._callers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Accept callers."""
        self._server = await asyncio.start_server(self._connected, sock=self._listening)

    def accept_no_more(self) -> None:
        """Close the socket that listens; connections that are open go on."""
        if self._server:
            self._server.close()

    async def stop(self) -> None:
        """Accept no more, and end the connections that are open."""
        self.accept_no_more()
        for task, writer in self._callers.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._callers[task] = writer
        task.add_done_callback(self._callers.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Either end may go at any time; the other is closed then.
        with contextlib.suppress(OSError):
            await self._answer(reader, writer)
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):  # either end may go at any time; the other is closed then
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
        await writer.wait_closed()
