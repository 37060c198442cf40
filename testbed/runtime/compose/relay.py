"""A port of this machine that leads to a Unix socket: boto3 speaks TCP only.

The rehearsal's container shares no network with the AWS endpoint, so that its traffic has nowhere to go but
to DNS and the balancers; its API calls go through a socket in a volume.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

_CHUNK = 1 << 16


class Relay:
    """Listens on a free port of 127.0.0.1. `start` and `stop` belong into the servers' loop.

    Attributes:
        url: where it listens, once started.
    """

    url: str

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        address, port = self._server.sockets[0].getsockname()
        self.url = f"http://{address}:{port}"

    async def stop(self) -> None:
        """Listen no more."""
        if self._server:
            self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._socket)
        except OSError:  # the endpoint is away: the caller sees its connection end, and tries again
            writer.close()
            return
        async with asyncio.TaskGroup() as both:
            both.create_task(_pass_on(reader, far_writer))
            both.create_task(_pass_on(far_reader, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):  # either end may go at any time; the other is closed then
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
        await writer.wait_closed()
