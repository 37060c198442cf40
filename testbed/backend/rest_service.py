"""The sample service as REST over HTTP/1.1, based on llhttp alone.

```
GET  /measurements/{id}                            200 one measurement       (GetMeasurement)
GET  /measurements/{id}/events?count=N&interval=S  200 N lines, S s apart    (WatchMeasurements)
POST /scans           body: one scan per line      200 {"scans", "bytes"}    (UploadScans)
POST /measurements    body: {"id": ...}            201 one measurement       (Calibrate)
GET  /healthz                                      200 {"status": "SERVING"}
```

A web framework would double the start time of a pod and the cost of each request, for five routes. The hard
part of HTTP/1.1, parsing, is left to llhttp.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote

import httptools
import orjson

from testbed.backend.measurements import measure

LARGEST_BODY = 1 << 20
_MEASUREMENT = re.compile(r"/measurements/([^/?]+)(/events)?")
_EVENTS_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with a JSON body, or with lines that are sent one by one."""

    status: HTTPStatus
    body: Any = None
    lines: AsyncIterator[bytes] | None = None


class RestService:
    """Routes requests and answers them; each measurement names the `pod`.

    With `any_path` it replaces an unknown service: every path but /healthz answers 200.
    """

    def __init__(self, pod: str, *, any_path: bool = False) -> None:
        self._pod = pod
        self._any_path = any_path

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """Return the answer to a request; an unknown path answers 404."""
        path, _, query = target.partition("?")
        if self._any_path and path != "/healthz":
            return Answer(HTTPStatus.OK, {"method": method, "path": path, "pod": self._pod})
        allowed = {"/healthz": "GET", "/measurements": "POST", "/scans": "POST"}.get(path)
        match = _MEASUREMENT.fullmatch(path)
        if match:
            allowed = "GET"
        if allowed is None:
            return _problem(HTTPStatus.NOT_FOUND, f"no such resource: {path}")
        if method != allowed:
            return _problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} allows {allowed} only")
        if match:
            identifier = unquote(match[1])
            return (
                self._watch(identifier, query)
                if match[2]
                else Answer(HTTPStatus.OK, self._measurement(identifier))
            )
        if path == "/healthz":
            return Answer(HTTPStatus.OK, {"status": "SERVING"})
        return self._calibrate(body) if path == "/measurements" else _upload(body)

    def _measurement(self, identifier: str, sequence: int = 0) -> dict[str, str | int]:
        foot = measure(identifier)
        return {
            "id": identifier,
            "sequence": sequence,
            "foot_length": foot.length,
            "foot_width": foot.width,
            "pod": self._pod,
        }

    def _watch(self, identifier: str, query: str) -> Answer:
        values = parse_qs(query)
        try:
            count = int(values.get("count", ["1"])[0])
            interval = float(values.get("interval", ["1"])[0])
        except ValueError:
            return _problem(HTTPStatus.BAD_REQUEST, "count and interval must be numbers")
        if not (0 <= count <= _EVENTS_MOST and 0 <= interval < float("inf")):
            return _problem(HTTPStatus.BAD_REQUEST, f"count must be 0 to {_EVENTS_MOST}, interval 0 or more")
        return Answer(HTTPStatus.OK, lines=self._events(identifier, count, interval))

    async def _events(self, identifier: str, count: int, interval: float) -> AsyncIterator[bytes]:
        for sequence in range(count):
            if sequence:
                await asyncio.sleep(interval)
            yield orjson.dumps(self._measurement(identifier, sequence), option=orjson.OPT_APPEND_NEWLINE)

    def _calibrate(self, body: bytes) -> Answer:
        try:
            scan = orjson.loads(body)
            return Answer(
                HTTPStatus.CREATED, self._measurement(str(scan["id"]), int(scan.get("sequence", 0)))
            )
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
            return _problem(HTTPStatus.BAD_REQUEST, 'a scan must be a JSON object with an "id"')


def _upload(body: bytes) -> Answer:
    lines = body.splitlines()
    return Answer(HTTPStatus.OK, {"scans": len(lines), "bytes": sum(map(len, lines))})


def _problem(status: HTTPStatus, text: str) -> Answer:
    return Answer(status, {"error": text})


class ServerConnection(asyncio.Protocol):
    """One HTTP/1.1 connection, kept alive between requests; it answers them one after the other."""

    def __init__(self, service: RestService, open_connections: set[ServerConnection]) -> None:
        self._service = service
        self._open = open_connections
        self._parser = httptools.HttpRequestParser(self)
        self._target = bytearray()
        self._body = bytearray()
        self._pending: deque[tuple[Answer, bool]] = deque()
        self._streaming: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport
        self._draining = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = transport  # type: ignore[assignment]
        self._open.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Called by the loop."""
        self._open.discard(self)
        self.closed.set_result(None)
        if self._streaming:
            self._streaming.cancel()

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._transport.close()
        except httptools.HttpParserError as error:
            self._send(_problem(HTTPStatus.BAD_REQUEST, str(error)), keep=False)

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._target.clear()
        self._body.clear()

    def on_url(self, url: bytes) -> None:
        """Called by the parser, several times for a long target."""
        self._target += url

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        # One piece beyond the limit is enough to refuse the request; more would only take memory.
        if len(self._body) <= LARGEST_BODY:
            self._body += body

    def on_message_complete(self) -> None:
        """Called by the parser."""
        keep = self._parser.should_keep_alive()
        if len(self._body) > LARGEST_BODY:
            answer = _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST_BODY} bytes")
        else:
            method = self._parser.get_method().decode()
            # Latin-1 decodes any byte, so that an odd target is answered with 404 instead of an exception.
            answer = self._service.answer(method, self._target.decode("latin-1"), bytes(self._body))
        if self._streaming:
            # HTTP/1.1 answers a pipelined request only after the one before it.
            self._pending.append((answer, keep))
        else:
            self._send(answer, keep)

    def drain(self) -> None:
        """Close as soon as no answer is in flight."""
        self._draining = True
        if not self._streaming:
            self._transport.close()

    def _send(self, answer: Answer, keep: bool) -> None:
        keep = keep and not self._draining
        if answer.lines is not None:
            self._transport.write(
                _head(answer.status, b"application/x-ndjson", b"transfer-encoding: chunked", keep)
            )
            self._streaming = asyncio.get_running_loop().create_task(self._stream(answer.lines, keep))
            return
        body = orjson.dumps(answer.body)
        length = b"content-length: %d" % len(body)
        self._transport.write(_head(answer.status, b"application/json", length, keep) + body)
        if not keep:
            self._transport.close()

    async def _stream(self, lines: AsyncIterator[bytes], keep: bool) -> None:
        async for line in lines:
            self._transport.write(b"%x\r\n%b\r\n" % (len(line), line))
        self._transport.write(b"0\r\n\r\n")
        self._streaming = None
        if not keep or self._draining:
            self._transport.close()
        while self._pending and not self._streaming and not self._transport.is_closing():
            self._send(*self._pending.popleft())


def _head(status: HTTPStatus, content: bytes, length: bytes, keep: bool) -> bytes:
    connection = b"" if keep else b"connection: close\r\n"
    phrase = status.phrase.encode()
    return b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\n%b\r\n%b\r\n" % (
        status,
        phrase,
        content,
        length,
        connection,
    )


async def serve_rest(
    pod: str, address: str, port: int, *, any_path: bool = False
) -> tuple[asyncio.Server, set[ServerConnection]]:
    """Start the REST server in the running loop; the set holds its open connections.

    Raises:
        OSError: the port is taken.
    """
    service = RestService(pod, any_path=any_path)
    connections: set[ServerConnection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: ServerConnection(service, connections), address, port, backlog=1024
    )
    return server, connections
