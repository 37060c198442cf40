"""A port of this machine that leads to a Unix socket, because boto3 speaks TCP only.

The rehearsal's container shares no network with the AWS endpoint, so that its traffic can only go to DNS and
the balancers. Its API calls go through a socket in a volume.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from testbed.real_controllers.stream_relay import relay


class Relay:
    """Listens on a free port of 127.0.0.1. `start` and `stop` run in the servers' loop.

    Attributes:
        url: the address at which it listens, once started.
    """

    url: str

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._server: asyncio.Server | None = None
        self._relayed: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        address, port = self._server.sockets[0].getsockname()
        self.url = f"http://{address}:{port}"

    async def stop(self) -> None:
        """Stop listening, and end the connections that boto3 still keeps for the next call."""
        if self._server:
            self._server.close()
        for caller in self._relayed.values():
            caller.transport.abort()
        await asyncio.gather(*self._relayed)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relayed = asyncio.create_task(self._relay(reader, writer))
        self._relayed[relayed] = writer
        relayed.add_done_callback(self._relayed.pop)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._socket)
        except OSError:  # the endpoint is away: the caller sees its connection end, and tries again
            writer.close()
            return
        await relay((reader, writer), (far_reader, far_writer))
