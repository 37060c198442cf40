"""A server that calls the name by HTTP/1.1 over TLS: a keep-alive pool that honours the record's TTL.

Once the TTL has passed it asks again, before the next request. Connections to addresses that are no
longer answered take no new request: idle ones close at once, busy ones when they are done.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections import deque
from collections.abc import Set
from urllib.parse import quote

import orjson

from testbed.settings import PATIENCE, PRODUCTION
from testbed.traffic.calls import Call
from testbed.traffic.ledger import Entry, Ledger
from testbed.traffic.outcomes import judge_http
from testbed.traffic.plan import Kind, TrafficPlan
from testbed.traffic.resolver import CachingResolver, NoAddress
from testbed.traffic.rest_connection import ConnectionLost, HttpAnswer, RestConnection
from testbed.traffic.sockets import Flow

_IDENTIFIERS = tuple(f"foot-{number}" for number in range(32))
_LARGEST_POOL = 64
_DIALS_AT_ONCE = 1
"""A burst waits for connections to come free rather than open one for each of its requests: handshakes
are what a slow machine has least time for. Pools of real clients have such limits too."""
_MOVED = "its address is no longer answered"


class NotConnected(Exception):
    """No connection could be made, so nothing was sent."""


class ServerClient:
    """Sends REST requests over a pool of its own. Make it in the loop that uses it."""

    def __init__(self, name: str, plan: TrafficPlan, tls: ssl.SSLContext, ledger: Ledger) -> None:
        self.name = name
        self._host = plan.host
        self._port = plan.port
        self._tls = tls
        self._ledger = ledger
        self._resolver = CachingResolver(plan)
        self._addresses: tuple[str, ...] = ()
        self._idle: deque[RestConnection] = deque()
        self._busy: set[RestConnection] = set()
        self._flows: set[Flow] = set()
        self._waiting: deque[asyncio.Future[RestConnection]] = deque()
        self._dialing: set[asyncio.Task[None]] = set()
        self._keep_alive = plan.clock.scaled(PRODUCTION.client_keep_alive)
        self._validate_after = plan.clock.scaled(PRODUCTION.client_validate_after)
        self._interval = plan.clock.scaled(plan.stream_message)
        self._head = (
            f" HTTP/1.1\r\nhost: {plan.address}\r\naccept: application/json\r\nx-request-id: ".encode()
        )
        self._next = 0

    async def send(self, entry: Entry) -> None:
        """Send a request and see it through; its outcome goes to the ledger, whatever happens."""
        self._next = (self._next + 1) % len(_IDENTIFIERS)
        identifier = _IDENTIFIERS[self._next]
        request = self._request(entry, identifier)
        patience = PATIENCE.request + (self._interval * entry.messages if entry.messages > 1 else 0.0)
        self._ledger.start(entry, self.name)
        try:
            answer = await self._exchange(entry, request, patience)
        except (NoAddress, NotConnected) as error:
            self._ledger.finish(entry, "failed", str(error))
        except ConnectionLost as error:
            self._ledger.finish(entry, "unknown", str(error))
        except TimeoutError:
            self._ledger.finish(entry, "unknown", f"no whole answer within {patience:g} s")
        except asyncio.CancelledError:
            self._ledger.finish(entry, "unknown", "still under way when the generator had to end")
            raise
        else:
            _learn(entry, answer)
            outcome = judge_http(answer.status, complete=_is_complete(entry, identifier, answer.body))
            detail = "" if outcome == "ok" else answer.body[:200].decode("utf-8", "replace")
            self._ledger.finish(entry, outcome, detail)

    def flows(self) -> Set[Flow]:
        """Its connections as the kernel sees them, from before they are made until they are gone."""
        return self._flows

    def close(self) -> None:
        """Close all connections."""
        for connection in (*self._idle, *self._busy):
            connection.close("the client ended")
        for task in self._dialing:
            task.cancel()
        self._idle.clear()

    def _request(self, entry: Entry, identifier: str) -> bytes:
        if entry.call:
            return self._own_request(entry, entry.call)
        if entry.kind is Kind.REST_POST:
            body = b'{"id":"%b","sequence":0}' % identifier.encode()
            entry.method = "POST /measurements"
            tail = b"\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        else:
            path = f"/measurements/{quote(identifier)}"
            if entry.kind is Kind.REST_EVENTS:
                path += f"/events?count={entry.messages}&interval={self._interval:.4f}"
            entry.method = f"GET {path}"
            tail = b"\r\n\r\n"
        return b"%b%b%b%b" % (entry.method.encode(), self._head, entry.id.encode(), tail)

    def _own_request(self, entry: Entry, call: Call) -> bytes:
        entry.method = call.title
        lines = [f"{name}: {value}" for name, value in call.headers]
        if call.body or call.method not in ("GET", "DELETE", "OPTIONS"):
            lines.append(f"content-length: {len(call.body)}")
        tail = "".join(f"\r\n{line}" for line in lines).encode() + b"\r\n\r\n" + call.body
        return b"%b%b%b%b" % (entry.method.encode(), self._head, entry.id.encode(), tail)

    async def _exchange(self, entry: Entry, request: bytes, patience: float) -> HttpAnswer:
        """One exchange, and the one retry that HTTP clients make (RFC 9110, 9.2.2).

        A kept-alive connection may close while a request is on its way to it. If no byte of an answer
        came and the method is idempotent, it is sent again on a new connection.
        """
        await self._refresh()
        is_idempotent = entry.kind is not Kind.REST_POST
        connection = self._take(is_idempotent) or await self._wait_for_connection()
        try:
            return await self._use(connection, request, patience)
        except ConnectionLost as lost:
            if lost.answered or not lost.reused or not is_idempotent:
                raise
            try:
                await self._refresh()
                connection = await self._connect()
            except (NoAddress, NotConnected) as error:
                lost.add_note(str(error))
                raise lost from error  # the first attempt was sent
        entry.retries += 1
        return await self._use(connection, request, patience)

    async def _use(self, connection: RestConnection, request: bytes, patience: float) -> HttpAnswer:
        self._busy.add(connection)
        try:
            async with asyncio.timeout(patience):
                return await connection.exchange(request)
        finally:
            self._busy.discard(connection)
            self._put(connection)

    async def _wait_for_connection(self) -> RestConnection:
        """The next connection that is free or made, in the order of asking.

        Raises:
            NotConnected: none could be made, or none was free in time.
        """
        waiter: asyncio.Future[RestConnection] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._dial()
        try:
            async with asyncio.timeout(PATIENCE.request):
                try:
                    return await waiter
                except asyncio.CancelledError:
                    # Given up in the very turn in which a connection was handed over.
                    if waiter.done() and not waiter.cancelled() and not waiter.exception():
                        self._put(waiter.result())
                    raise
        except TimeoutError:
            raise NotConnected(f"no free connection within {PATIENCE.request:g} s") from None

    def _put(self, connection: RestConnection) -> None:
        """Hand a free connection to who waits longest, or keep it."""
        if connection.is_reusable and connection.address not in self._addresses:
            connection.close(_MOVED)
        if not connection.is_reusable:
            self._dial()
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)

    def _dial(self) -> None:
        """Make connections for those who wait, within the limits of the pool."""
        while (
            len(self._dialing) < min(len(self._waiting), _DIALS_AT_ONCE)
            and len(self._busy) + len(self._dialing) < _LARGEST_POOL
        ):
            task = asyncio.create_task(self._dial_one())
            self._dialing.add(task)
            task.add_done_callback(self._dialing.discard)

    async def _dial_one(self) -> None:
        try:
            connection = await self._connect()
        except NotConnected as error:
            while self._waiting:
                waiter = self._waiting.popleft()
                if not waiter.done():
                    waiter.set_exception(error)
                    break
            asyncio.get_running_loop().call_soon(self._dial)
        else:
            self._put(connection)

    async def _refresh(self) -> None:
        """Learn the addresses of the name by now; connections to others leave the pool.

        Raises:
            NoAddress: there is none.
        """
        try:
            addresses = await self._resolver.addresses()
        except NoAddress:
            self._keep(())
            raise
        self._keep(addresses)

    def _keep(self, addresses: tuple[str, ...]) -> None:
        if addresses != self._addresses:
            self._addresses = addresses
            self._retire()

    def _retire(self) -> None:
        for _ in range(len(self._idle)):
            connection = self._idle.popleft()
            if connection.address in self._addresses:
                self._idle.append(connection)
            else:
                connection.close(_MOVED)

    def _take(self, is_idempotent: bool) -> RestConnection | None:
        """The connection used last that may still be used; what has idled too long is closed.

        The peer may close an idle connection while a request is on its way to it. What may be sent twice
        takes that risk; what may not takes a connection only if it was used a moment ago.
        """
        now = time.monotonic()
        while self._idle and (
            self._idle[0].idle_since < now - self._keep_alive or not self._idle[0].is_reusable
        ):
            connection = self._idle.popleft()
            if connection.is_reusable:
                connection.close("idle")
        while self._idle:
            if not is_idempotent and self._idle[-1].idle_since < now - self._validate_after:
                return None
            connection = self._idle.pop()
            if connection.is_reusable:
                return connection
        return None

    async def _connect(self) -> RestConnection:
        """A new connection to the first address that takes one, in the order of the answer."""
        problem = ""
        for address in self._addresses:
            try:
                async with asyncio.timeout(PATIENCE.balancer_connect):
                    return await self._connect_to(address)
            except OSError as error:  # refused, timed out, or TLS failed; no request was sent
                problem = f"{address}:{self._port}: {error or type(error).__name__}"
        raise NotConnected(problem)

    async def _connect_to(self, address: str) -> RestConnection:
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as undo:
            opened = socket.socket()
            undo.callback(opened.close)
            opened.setblocking(False)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.bind(("", 0))  # its port is known before the kernel shows the connection to `sockets`
            flow = Flow(opened.getsockname()[1], address)
            self._flows.add(flow)
            undo.callback(self._flows.discard, flow)
            await loop.sock_connect(opened, (address, self._port))
            _, connection = await loop.create_connection(
                lambda: RestConnection(self.name, flow, self._ledger, self._flows.discard),
                sock=opened,
                ssl=self._tls,
                server_hostname=self._host,
            )
            undo.pop_all()
        return connection


def _learn(entry: Entry, answer: HttpAnswer) -> None:
    headers = answer.headers
    entry.status = str(answer.status)
    entry.peer = headers.get(b"x-testbed-peer", b"").decode()
    entry.connection = headers.get(b"x-testbed-connection", b"").decode()
    entry.pod = headers.get(b"x-testbed-pod", b"").decode()
    entry.listener = headers.get(b"x-testbed-listener", b"").decode()


def _is_complete(entry: Entry, identifier: str, body: bytes) -> bool:
    if entry.call:  # llhttp has seen its end
        return entry.call.status in (None, int(entry.status))
    try:
        lines = body.splitlines()
        return len(lines) == entry.messages and all(orjson.loads(line)["id"] == identifier for line in lines)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False
