"""The server of the live page: it follows the journal, and streams the picture as server-sent events.

```
GET  /<token>/            the page            GET /<token>/page.css, page.js   its parts
GET  /<token>/events      `data: {"patch": …, "entries": […]}`, at most ten a second
POST /<token>/acts        `{"act": "pause"}`: printed as a line, for the run to do
```

Every request needs the token and the page's own `Host`, so that no name of another site leads here; an act
needs the page's own `Origin` as well. The server only passes acts on: the run judges them.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson
from aiohttp import web

from testbed.clock import Clock
from testbed.journal import Run
from testbed.live.frame import Standing, difference
from testbed.live.scene import Scene
from testbed.live.server_plan import READY, ServerPlan
from testbed.live.ticks import Tick
from testbed.settings import PATIENCE

MOST_BYTES = 4_096
"""Of the body of an act."""
_CHUNK = 1 << 20
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FILES = {
    "": ("live.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
}


@dataclass(slots=True)
class JournalFollower:
    """Reads what a growing journal has got since the last time; a torn last line waits."""

    path: Path
    _offset: int = 0
    _torn: bytes = b""

    def news(self) -> Tick:
        """Return it as a tick."""
        tick = Tick()
        with suppress(FileNotFoundError):
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                while data := os.pread(descriptor, _CHUNK, self._offset):
                    self._offset += len(data)
                    *lines, self._torn = (self._torn + data).split(b"\n")
                    for line in lines:
                        fields = orjson.loads(line)
                        tick.add(fields.pop("event"), fields)
            finally:
                os.close(descriptor)
        return tick


@dataclass(slots=True)
class _Told:
    """What the run tells besides its journal; `version` grows with each change of the whole picture."""

    control: dict[str, Any] = field(default_factory=dict)
    is_over: bool = False
    version: int = 0


class PageServer:
    """Serves one page to any number of viewers."""

    def __init__(self, plan: ServerPlan) -> None:
        self._plan = plan
        self._scene = Scene()
        self._follower = JournalFollower(plan.journal)
        self._clock: Clock | None = None
        self._told = _Told()
        self._state: dict[str, Any] = {"frame": self._scene.frame().plain(), "control": {}}
        self._viewers = 0
        self._news = asyncio.Condition()
        self._host = ""
        self._acts: Callable[[bytes], None] = lambda _: None

    async def serve(self, orders: IO[bytes], acts: IO[bytes]) -> None:
        """Serve until the orders end.

        Args:
            orders: lines of JSON from the run: `{"control": {…}}`, `{"judged": {…}}`.
            acts: gets `ready PORT`, then each act as a line of JSON.
        """
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=PATIENCE.poll)
        await runner.setup()
        site = web.TCPSite(runner, self._plan.address, self._plan.port)
        await site.start()
        port = runner.addresses[0][1]
        self._host = f"{self._plan.address}:{port}"

        def write(line: bytes) -> None:
            acts.write(line + b"\n")
            acts.flush()

        self._acts = write
        write(f"{READY} {port}".encode())
        following = asyncio.create_task(self._follow())
        try:
            async for line in _lines(orders):
                self.obey(orjson.loads(line))
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            self._told.is_over = True
            await self._look()
            # Each viewer's last news are on their way; a viewer that is gone is not waited for.
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE.page_window), self._news:
                    await self._news.wait_for(lambda: self._viewers == 0)
            await runner.cleanup()

    def obey(self, order: dict[str, Any]) -> None:
        """Take an order of the run."""
        if control := order.get("control"):
            self._told.control = {**self._told.control, **control}
        if judged := order.get("judged"):
            self._scene.verdict.judged(Standing(judged["standing"]), judged["text"], tuple(judged["reasons"]))

    def application(self) -> web.Application:
        """Return the server's application."""
        application = web.Application(middlewares=[self._guarded], client_max_size=MOST_BYTES)
        for name, (file, kind) in _FILES.items():
            application.router.add_get(f"/{{token}}/{name}", _file(file, kind))
        application.router.add_get("/{token}/events", self._events)
        application.router.add_post("/{token}/acts", self._act)
        return application

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        token = request.match_info.get("token", "")
        if not secrets.compare_digest(token.encode(), self._plan.token.encode()):
            return _refused("the token is wrong: open the address that the testbed printed")
        if request.headers.getall("Host", []) != [self._host]:
            return _refused("the Host is not this page's")
        if request.method not in ("GET", "HEAD") and request.headers.getall("Origin", []) != [
            f"http://{self._host}"
        ]:
            return _refused("the Origin is not this page's")
        return await handler(request)

    async def _act(self, request: web.Request) -> web.Response:
        try:
            act = orjson.loads(await request.read())
        except ValueError:
            act = None
        if request.content_type != "application/json" or not isinstance(act, dict):
            return web.Response(status=400, text="an act is an object of JSON\n", headers=_HEADERS)
        if self._told.is_over:
            return web.Response(status=409, text="the run is over\n", headers=_HEADERS)
        self._acts(orjson.dumps(act))
        return web.Response(status=202, headers=_HEADERS)

    # --- the picture -------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(PATIENCE.page_update)

    async def _look(self) -> None:
        tick = self._follower.news()
        for run in tick.events:
            if isinstance(run, Run):
                self._clock = Clock(**run.clock)
        self._scene.absorb(tick, self._clock.wall() if self._clock else 0.0)
        if self._viewers:
            self._state = {"frame": self._scene.frame().plain(), "control": self._told.control}
        async with self._news:
            self._told.version += 1
            self._news.notify_all()

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={**_HEADERS, "Content-Type": "text/event-stream; charset=utf-8"}
        )
        await response.prepare(request)
        self._viewers += 1
        try:
            async for message in self._messages():
                await response.write(b"data: " + message + b"\n\n")
        except ConnectionError:
            pass  # the viewer is gone
        finally:
            self._viewers -= 1
            async with self._news:
                self._news.notify_all()
        return response

    async def _messages(self) -> AsyncIterator[bytes]:
        """Yield what changed since the last message: a slow viewer gets fewer and larger ones."""
        shown: dict[str, Any] = {}
        # The next picture is the first: while nobody looked, none was made.
        sent, version = 0, self._told.version
        while True:
            async with self._news:
                while self._told.version == version and not self._told.is_over:
                    await self._news.wait()
            version, state, is_over = self._told.version, self._state, self._told.is_over
            entries = self._scene.entries[sent : state["frame"]["entries"]]
            message: dict[str, Any] = {"patch": difference(shown, state), "entries": entries}
            shown, sent = state, sent + len(entries)
            if is_over:
                message["is_over"] = True
            yield orjson.dumps(message)
            if is_over:
                return


def _file(name: str, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    from testbed.live.page_files import page_file

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=page_file(name), content_type=kind, charset="utf-8", headers=_HEADERS)

    return answer


def _refused(why: str) -> web.Response:
    return web.Response(status=403, text=f"{why}\n", headers=_HEADERS)


async def _lines(orders: IO[bytes]) -> AsyncIterator[bytes]:
    reader = asyncio.StreamReader(limit=_CHUNK)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), orders)
    while line := await reader.readline():
        yield line
