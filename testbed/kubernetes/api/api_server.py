"""The API over TLS: tokens, bodies, watches as streams. What a request leads to is in `dispatch`.

```
GET  /api /apis /openapi /version /healthz        discovery
GET  .../plural[?watch=1]   POST .../plural   DELETE .../plural
GET  .../plural/name[/status]   PUT   PATCH   DELETE
GET  .../pods/name/log[?follow=1]   .../deployments/name/scale
```
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hmac
import os
import ssl
from pathlib import Path

import orjson
from aiohttp import web
from multidict import CIMultiDict

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.kubernetes.api import admission_webhooks, pod_log
from testbed.kubernetes.api.api_requests import Request
from testbed.kubernetes.api.dispatch import Answer, Call, Dispatch, refusal
from testbed.kubernetes.api.statuses import Refused
from testbed.kubernetes.api.watch_streams import WatchStream
from testbed.kubernetes.object_store import ObjectStore
from testbed.settings import PATIENCE

_MOST_BYTES = 3 << 20
"""The limit of a request's body, the same as the API server's."""
# Open to anonymous users in a real cluster as well (ClusterRole system:public-info-viewer).
_OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version")


class KubernetesApi:
    """An HTTPS server in the servers' loop. `start` and `stop` belong into that loop.

    Args:
        store: the objects that it serves.
        clock: the clock of the run.
        address, port: where it listens.
        tls: the certificate and key of the server.
        token: the bearer token that a client must have.
        seed: the seed of generated names.
        socket: a Unix socket where it also listens, for clients that share no network with it.
    """

    def __init__(
        self,
        store: ObjectStore,
        clock: Clock,
        address: str,
        port: int,
        *,
        tls: ssl.SSLContext,
        token: str,
        seed: int = 0,
        socket: Path | None = None,
    ) -> None:
        self._address, self._port, self._socket = address, port, socket
        self._tls, self._token, self._store = tls, token, store
        self._dispatch = Dispatch(store, clock, seed=seed, address=f"{address}:{port}")
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            Missing: the port is taken, or is not this user's to bind.
        """
        application = web.Application(client_max_size=_MOST_BYTES)
        application.router.add_route("*", "/{path:.*}", self._handle)
        # A watch has no end of its own: it is cancelled when its client goes, and does not hold up the stop
        # (0 would be no limit at all to aiohttp).
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=PATIENCE.poll, handler_cancellation=True
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address, self._port, ssl_context=self._tls).start()
            if self._socket:
                await web.UnixSite(self._runner, self._socket, ssl_context=self._tls).start()
        except OSError as error:
            await self.stop()
            why = "is taken" if error.errno == errno.EADDRINUSE else os.strerror(error.errno or 0)
            raise Missing(
                f"{self._address}:{self._port} (Kubernetes API) {why}",
                do="stop what listens there or name another network with --network",
            ) from None

    async def stop(self) -> None:
        """Close the server, its connections and the watches on them."""
        if self._runner:
            await self._runner.cleanup()

    # --- requests ----------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            if request.path not in _OPEN_PATHS:
                self._authenticate(request)
            call = Call(
                method=request.method,
                path=request.path,
                query={key: request.query[key] for key in request.query},
                content_type=request.headers.get("Content-Type", ""),
                accept=request.headers.get("Accept", ""),
                agent=request.headers.get("User-Agent", ""),
                body=await _body(request),
            )
            if stream := self._dispatch.watch(call):
                return await _streamed(request, stream)
            if followed := self._dispatch.followed_log(call):
                return await self._followed(request, followed)
        except Refused as error:
            return _response(refusal(error))
        except ConnectionError:  # the caller went in the middle of its call: nobody reads what is answered
            return web.Response()
        if call.method not in ("GET", "DELETE") and admission_webhooks.are_configured(self._store):
            # A webhook may call the AWS endpoint of this very loop before it answers.
            return _response(await asyncio.to_thread(self._dispatch.answer, call))
        return _response(self._dispatch.answer(call))

    async def _followed(self, request: web.Request, log: Request) -> web.StreamResponse:
        """Write a pod's log as it grows, until its reader or the pod goes."""
        whole = self._dispatch.log_lines(log)
        written = pod_log.asked(whole, log.query)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError, Refused):
            while True:
                await response.write(pod_log.text(written, log.query))
                await asyncio.sleep(PATIENCE.look)
                known, whole = len(whole), self._dispatch.log_lines(log)
                written = whole[known:]
        return response

    def _authenticate(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            raise Refused(401, "Unauthorized", "Unauthorized")


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refused(413, "RequestEntityTooLarge", f"limit is {_MOST_BYTES}") from None


async def _streamed(request: web.Request, stream: WatchStream) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    transport = request.transport
    # The client goes away when it has seen enough.
    with contextlib.suppress(ConnectionError):
        try:
            async for line in stream.lines():
                await response.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        except asyncio.CancelledError:
            if transport:  # at the end of the API: a client that reads no more would never close its TLS
                transport.abort()
            raise
        await response.write_eof()
    return response


def _response(answer: Answer) -> web.Response:
    headers = [("Content-Type", answer.content_type)]
    headers += [("Warning", f'299 - "{_quoted(text)}"') for text in answer.warnings]
    return web.Response(status=answer.code, body=answer.body, headers=CIMultiDict(headers))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
