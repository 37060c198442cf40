"""An HTTP server for one service of the composed topology; a `TestbedError` arrives as one."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from testbed.errors import Missing, TestbedError
from testbed.runtime.compose import run_messages
from testbed.runtime.compose.service_client import REFUSED
from testbed.settings import PATIENCE

Handler = Callable[[web.Request], Awaitable[Any]]
"""Its result is sent as JSON, except bytes, which are sent as they are."""

_MOST_BYTES = 16 << 20


class Server:
    """Listens at addresses and on a Unix socket. `start` and `stop` run in the servers' loop.

    Args:
        routes: handlers by `METHOD /path`.
    """

    def __init__(self, routes: Mapping[str, Handler]) -> None:
        application = web.Application(client_max_size=_MOST_BYTES)
        for route, handler in routes.items():
            method, path = route.split()
            application.router.add_route(method, path, _answering(handler))
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=PATIENCE.poll)

    async def start(self, addresses: Sequence[tuple[str, int]], socket: Path | None = None) -> None:
        """Listen.

        Raises:
            Missing: an address is taken.
        """
        await self._runner.setup()
        try:
            for address, port in addresses:
                await web.TCPSite(self._runner, address, port).start()
            if socket:
                await web.UnixSite(self._runner, socket).start()
        except OSError as error:
            await self.stop()
            raise Missing(f"{error.filename or address}: {os.strerror(error.errno or 0)}") from None

    async def stop(self) -> None:
        """Close the server and its connections."""
        await self._runner.cleanup()


def _answering(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            result = await handler(request)
        except TestbedError as error:
            return _json(run_messages.error(error), REFUSED)
        return web.Response(body=result) if isinstance(result, bytes) else _json(result, 200)

    return answer


def _json(document: Any, status: int) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(document), content_type="application/json")
