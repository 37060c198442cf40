"""One HTTP/1.1 connection of a client, based on llhttp: one exchange at a time, with an exact end.

The ledger needs two facts that HTTP libraries hide: whether a broken connection had received any byte of an
answer, and whether it had been used before. They decide between retry, failed and unknown.
"""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httptools

from testbed.traffic.connection_rules import NOT_KEPT
from testbed.traffic.grpc_sockets import Flow
from testbed.traffic.ledger import Ledger

_INFORMATIONAL = range(100, 200)


class ConnectionLost(Exception):
    """The connection ended before the whole answer came.

    Attributes:
        answered: True if some of the answer had come.
        reused: True if the connection had served a request before.
    """

    def __init__(self, reason: str, *, answered: bool, reused: bool) -> None:
        super().__init__(reason)
        self.answered = answered
        self.reused = reused


@dataclass(slots=True)
class HttpAnswer:
    """A complete answer; header names are lower case."""

    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""


class RestConnection(asyncio.Protocol):
    """The protocol of a connection, with callbacks for the loop and the parser.

    `shown` is its remote address in the journal, if that is not the one of the flow.

    Attributes:
        address: the remote IP in the answer of DNS.
        flow: the connection as the kernel sees it.
        opened: `time.monotonic()` at its start.
        idle_since: `time.monotonic()` at the end of its last exchange.
        is_reusable: True if another request may be sent on it.
    """

    def __init__(
        self,
        client: str,
        flow: Flow,
        ledger: Ledger,
        forget: Callable[[Flow], None],
        shown: str = "",
        *,
        is_kept: bool = True,
    ) -> None:
        self._client = client
        self._shown = shown or flow.address
        # A client that keeps none has asked for the close itself, and the peer says only yes.
        self._at_close = "the peer sent connection: close" if is_kept else NOT_KEPT
        self._ledger = ledger
        self._forget = forget
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._poll = select.poll()
        self._waiter: asyncio.Future[HttpAnswer] | None = None
        self._answer = HttpAnswer()
        self._body: list[bytes] = []
        self._answered = False
        self._exchanges = 0
        self._reason = ""
        self.flow = flow
        self.address = flow.address
        self.opened = self.idle_since = time.monotonic()
        self.is_reusable = False

    @property
    def identifier(self) -> str:
        """Its id in the journal."""
        return f"{self._client}/{self.flow.local_port}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop when TLS is established."""
        self._transport = transport  # type: ignore[assignment]
        self._poll.register(transport.get_extra_info("socket"), select.POLLIN | select.POLLRDHUP)
        self.is_reusable = True
        self._ledger.opened(self.identifier, self._client, self._shown)

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the loop."""
        self.is_reusable = False
        self._forget(self.flow)
        reason = self._reason or (f"{type(error).__name__}: {error}" if error else "closed by the peer")
        self._ledger.closed(self.identifier, self._client, self._shown, reason)
        if self._waiter and not self._waiter.done():
            lost = ConnectionLost(reason, answered=self._answered, reused=self._exchanges > 1)
            self._waiter.set_exception(lost)

    def eof_received(self) -> bool:
        """Called by the loop: no answer can follow, so the connection is not reusable."""
        self.is_reusable = False
        return False

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        self._answered = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.close(f"not an HTTP answer: {error}")

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._answer = HttpAnswer()
        self._body.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._answer.headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        status = self._parser.get_status_code()
        # Of an answer such as 100 Continue only the next message is the answer proper.
        if status in _INFORMATIONAL:
            return
        self._answer.status = status
        self._answer.body = b"".join(self._body)
        self.idle_since = time.monotonic()
        if not self._parser.should_keep_alive():
            self.close(self._at_close)
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(self._answer)
        else:
            self.close("an answer without a request")

    def is_stale(self) -> bool:
        """True if the peer has closed it unread; real clients look before each use."""
        if not self._poll.poll(0):
            return False
        self.close("")
        return True

    async def exchange(self, request: bytes) -> HttpAnswer:
        """Send a request and wait for its complete answer.

        Raises:
            ConnectionLost: the connection ended first.
        """
        self._exchanges += 1
        self._answered = False
        self._waiter = asyncio.get_running_loop().create_future()
        if self._transport.is_closing():
            raise ConnectionLost("closed by the peer", answered=False, reused=self._exchanges > 1)
        self._transport.write(request)
        try:
            return await self._waiter
        except asyncio.CancelledError:
            self.close("its request was cancelled")
            raise

    def close(self, reason: str) -> None:
        """Close from this side."""
        self._reason = self._reason or reason
        self.is_reusable = False
        self._transport.close()
