"""A client that calls the name by HTTP/1.1 over TLS, as its model does: one engine for all of them.

```
request ──► look up? (model) ──► free connection that the model uses ──► exchange ──► keep it? (model)
                                      └─ none ──► look up? ──► connect ──┘
```
The rules are in `address_book` and `connection_rules`; here are the sockets.
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

from testbed.backend.measurements import IDENTIFIERS
from testbed.client_models.client_model import ClientModel, LookUp
from testbed.settings import PATIENCE, PRODUCTION
from testbed.traffic.calls import Call
from testbed.traffic.connection_rules import ConnectionRules, may_cross_after
from testbed.traffic.grpc_sockets import Flow
from testbed.traffic.ipv6_dialer import Dialer, family_of
from testbed.traffic.ledger import FIELD_OF_HEADER, Entry, Ledger
from testbed.traffic.name_lookup import NameLookup, NoAddress
from testbed.traffic.outcomes import judge_http
from testbed.traffic.rest_connection import ConnectionLost, HttpAnswer, RestConnection
from testbed.traffic.traffic_plan import RequestKind, TrafficPlan

_FIELDS = tuple((name.encode(), field) for name, field in FIELD_OF_HEADER.items())
_LARGEST_POOL = 64
_THREADS = 10
"""Connections of a client whose threads take turns: urllib3's `pool_maxsize`, and botocore's."""
_DIALS_AT_ONCE = 1
"""A burst waits for free connections rather than open one for each of its requests, because handshakes cost a
slow machine the most. Pools of real clients have such limits, too."""


_FRESH = 0.005
"""Wall seconds. A connection that was used so short a time ago is not looked at again."""

_CROSSING = 0.05
"""Wall seconds in which a close arrives that was on its way when the request was sent."""


class NotConnected(Exception):
    """No connection could be made, so nothing was sent."""


class ServerClient:
    """Sends REST requests over its own pool. Create it in the loop that uses it."""

    def __init__(
        self,
        name: str,
        model: ClientModel,
        plan: TrafficPlan,
        tls: ssl.SSLContext,
        ledger: Ledger,
        dns: tuple[str, int] | None = None,
        dialer: Dialer | None = None,
    ) -> None:
        """`dns` is the server that it asks, by default the plan's; without `dialer` it has no IPv6."""
        self.name = name
        self._dialer = dialer or Dialer(None)
        self.model = model
        self._host = plan.host
        self._port = plan.port
        self._tls = tls
        self._ledger = ledger
        self._lookup = NameLookup(model, plan.host, dns or plan.dns_server, plan.clock)
        self._book = self._lookup.book
        self._rules = ConnectionRules.of(model, plan.clock)
        self._asks_for_requests = model.looks_up is LookUp.REQUEST
        self._addresses: tuple[str, ...] = ()
        self._idle: deque[RestConnection] = deque()
        self._abandoned: list[RestConnection] = []
        # A pool with an idle limit shrinks to what it needs, so the connection that was used last goes first.
        # Without one, threads take turns, each with its own; a tail of idle connections would outlive them.
        self._takes_turns = model.max_idle > PRODUCTION.alb_idle_timeout
        self._most = _THREADS if self._takes_turns else _LARGEST_POOL
        self._busy: set[RestConnection] = set()
        self._flows: set[Flow] = set()
        self._waiting: deque[asyncio.Future[RestConnection]] = deque()
        self._dialing: set[asyncio.Task[None]] = set()
        self._validate_after = plan.clock.scaled(PRODUCTION.client_validate_after)
        self._may_cross_after = may_cross_after(plan.clock)
        self._interval = plan.clock.scaled(plan.stream_message)
        close = "" if model.keeps_connection else "connection: close\r\n"
        self._head = (
            f" HTTP/1.1\r\nhost: {plan.address}\r\naccept: application/json\r\n{close}x-request-id: ".encode()
        )
        self._next = 0
        self._timer: asyncio.Task[None] | None = None
        if model.looks_up is LookUp.INTERVAL:
            self._timer = asyncio.get_running_loop().create_task(
                self._look_up_each(plan.clock.scaled(model.interval))
            )

    async def send(self, entry: Entry) -> None:
        """Send a request, wait for its end, and write its outcome to the ledger, whatever happens."""
        self._next = (self._next + 1) % len(IDENTIFIERS)
        identifier = IDENTIFIERS[self._next]
        request = self._request(entry, identifier)
        patience = PATIENCE.request + (self._interval * entry.messages if entry.messages > 1 else 0.0)
        self._ledger.start(entry, self.name)
        try:
            answer = await self._exchange(entry, request, patience)
        except (NoAddress, NotConnected) as error:
            if self._addresses:
                entry.family = family_of(self._addresses[0])  # the first that it tried
            self._ledger.finish(entry, "failed", str(error))
        except ConnectionLost as error:
            self._ledger.finish(entry, "unknown", str(error))
        except TimeoutError:
            self._ledger.finish(entry, "unknown", f"no complete answer within {patience:g} s")
        except asyncio.CancelledError:
            self._ledger.finish(entry, "unknown", "still in flight when the generator had to end")
            raise
        else:
            _learn(entry, answer)
            outcome = judge_http(answer.status, complete=_is_complete(entry, identifier, answer.body))
            detail = "" if outcome == "ok" else answer.body[:200].decode("utf-8", "replace")
            self._ledger.finish(entry, outcome, detail)

    def flows(self) -> Set[Flow]:
        """Return its connections as the kernel sees them, from before they open until they are gone."""
        return self._flows

    def expire(self) -> None:
        """Close the idle connections whose time has come, as clients with a timer do without a request."""
        now = time.monotonic()
        self._idle = deque(one for one in self._idle if one.is_reusable and self._stays(one, now))
        self._abandoned = [one for one in self._abandoned if one.is_reusable and self._stays(one, now)]

    def close(self) -> None:
        """Close all connections."""
        if self._timer:
            self._timer.cancel()
        for connection in (*self._idle, *self._abandoned, *self._busy):
            connection.close("the client ended")
        for task in self._dialing:
            task.cancel()
        self._idle.clear()

    def _request(self, entry: Entry, identifier: str) -> bytes:
        if entry.call:
            return self._own_request(entry, entry.call)
        if entry.kind is RequestKind.REST_POST:
            body = b'{"id":"%b","sequence":0}' % identifier.encode()
            entry.method = "POST /measurements"
            tail = b"\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        else:
            path = f"/measurements/{quote(identifier)}"
            if entry.kind is RequestKind.REST_EVENTS:
                path += f"/events?count={entry.messages}&interval={self._interval:.4f}"
            entry.method = f"GET {path}"
            tail = b"\r\n\r\n"
        return b"%b%b%b%b" % (entry.method.encode(), self._head, entry.id.encode(), tail)

    def _own_request(self, entry: Entry, call: Call) -> bytes:
        entry.method = call.title
        lines = [f"{name}: {value}" for name, value in call.headers]
        # RFC 9110, 8.6: where the method may have a body, its length is sent even if it is 0.
        if call.body or call.method not in ("GET", "DELETE", "OPTIONS"):
            lines.append(f"content-length: {len(call.body)}")
        tail = "".join(f"\r\n{line}" for line in lines).encode() + b"\r\n\r\n" + call.body
        return b"%b%b%b%b" % (entry.method.encode(), self._head, entry.id.encode(), tail)

    async def _exchange(self, entry: Entry, request: bytes, patience: float) -> HttpAnswer:
        """Make one exchange, with the retries that the model makes (RFC 9110, 9.2.2).

        A kept-alive connection may close while a request is on its way. If no byte of an answer came and the
        method is idempotent, the request may be sent again on a new connection.

        A balancer's idle timeout is short at a high speed, and this machine is no faster: a request crosses
        the close so many times as often as in production. So one that was sent on a connection which had
        idled for that long is sent again, as if the client had seen the close first, if the close came at
        once: a later one is that of a peer that had the request.
        """
        if self._asks_for_requests:
            await self._refresh()
        is_idempotent = entry.kind is not RequestKind.REST_POST
        connection = self._take(is_idempotent) or await self._wait_for_connection()
        retries = self.model.retries if is_idempotent else 0
        while True:
            sent = time.monotonic()
            idled = sent - connection.idle_since
            try:
                return await self._use(connection, entry, request, patience)
            except ConnectionLost as lost:
                came_at_once = time.monotonic() - sent < _CROSSING
                has_crossed = came_at_once and idled > self._may_cross_after and not entry.retries
                if lost.answered or not lost.reused or not (has_crossed or entry.retries < retries):
                    raise
                try:
                    if self._asks_for_requests:
                        await self._refresh()
                    connection = await self._connect()
                except (NoAddress, NotConnected) as error:
                    lost.add_note(str(error))
                    raise lost from error  # the first attempt was sent
            entry.retries += 1

    async def _use(
        self, connection: RestConnection, entry: Entry, request: bytes, patience: float
    ) -> HttpAnswer:
        entry.family = family_of(connection.address)
        self._busy.add(connection)
        try:
            async with asyncio.timeout(patience):
                return await connection.exchange(request)
        finally:
            self._busy.discard(connection)
            self._put(connection)

    async def _wait_for_connection(self) -> RestConnection:
        """Wait for a connection that is free or new; the first caller gets the first one.

        Raises:
            NotConnected: no connection could be made, or none was free in time.
        """
        waiter: asyncio.Future[RestConnection] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._dial()
        try:
            async with asyncio.timeout(PATIENCE.request):
                try:
                    return await waiter
                except asyncio.CancelledError:
                    # Cancelled in the same turn in which it got a connection: put that back.
                    if waiter.done() and not waiter.cancelled() and not waiter.exception():
                        self._put(waiter.result())
                    raise
        except TimeoutError:
            raise NotConnected(f"no free connection within {PATIENCE.request:g} s") from None

    def _put(self, connection: RestConnection) -> None:
        """Give a connection that has become free to the next request, keep it, or close it, by the model."""
        if connection.is_reusable and self._stays(connection, connection.idle_since):
            if self._rules.may_use(connection, self._addresses):
                self._give(connection)
                return
            self._abandoned.append(connection)
        self._dial()

    def _give(self, connection: RestConnection) -> None:
        """Give a connection to the request that has waited longest, or keep it."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)

    def _dial(self) -> None:
        """Open connections for waiting requests, within the limits of the pool."""
        while (
            len(self._dialing) < min(len(self._waiting), _DIALS_AT_ONCE)
            and len(self._busy) + len(self._dialing) < self._most
        ):
            task = asyncio.create_task(self._dial_one())
            self._dialing.add(task)
            task.add_done_callback(self._dialing.discard)

    async def _dial_one(self) -> None:
        try:
            connection = await self._connect()
        except (NoAddress, NotConnected) as error:
            while self._waiting:
                waiter = self._waiting.popleft()
                if not waiter.done():
                    waiter.set_exception(error)
                    break
            # Not now: this task still counts as dialing until it has ended.
            asyncio.get_running_loop().call_soon(self._dial)
        else:
            self._give(connection)

    async def _look_up_each(self, interval: float) -> None:
        """Look up at an interval, and let idle connections go by the answer, as proxies do."""
        while True:
            await self._lookup.look_up()
            self._learn()
            await asyncio.sleep(interval)

    async def _refresh(self) -> None:
        """Get the addresses of the name, as its cache or a look-up has them.

        Raises:
            NoAddress: the name has no address.
        """
        try:
            await self._lookup.addresses()
        finally:
            self._learn()

    def _learn(self) -> None:
        if self._book.addresses != self._addresses:
            self._addresses = self._book.addresses
            self.expire()
            kept = [*self._abandoned, *self._idle]
            self._idle = deque(one for one in kept if self._rules.may_use(one, self._addresses))
            self._abandoned = [one for one in kept if not self._rules.may_use(one, self._addresses)]

    def _stays(self, connection: RestConnection, now: float) -> bool:
        """True if the model keeps an idle connection; else it is closed."""
        if reason := self._rules.ends(connection, self._addresses, now):
            connection.close(reason)
        return not reason

    def _take(self, is_idempotent: bool) -> RestConnection | None:
        """Take a free connection; close those that have idled too long.

        The peer may close an idle connection while a request is on its way. A client that retries takes that
        risk for an idempotent request; for any other it takes a connection only if it was used a moment ago.
        """
        now = time.monotonic()
        while self._idle and not (self._idle[0].is_reusable and self._stays(self._idle[0], now)):
            self._idle.popleft()
        while self._idle:
            connection = self._idle[0 if self._takes_turns else -1]
            is_risky = self.model.retries and connection.idle_since < now - self._validate_after
            if is_risky and not is_idempotent and connection.is_reusable:
                return None
            self._idle.popleft() if self._takes_turns else self._idle.pop()
            if not connection.is_reusable:
                continue
            if connection.idle_since > now - _FRESH or not connection.is_stale():
                return connection
        return None

    async def _connect(self) -> RestConnection:
        """Connect to the first address that accepts, in the order of the DNS answer.

        Raises:
            NoAddress: the name has none.
            NotConnected: none accepted.
        """
        if not self._asks_for_requests:
            await self._refresh()
        problem = ""
        for address in self._addresses:
            try:
                async with asyncio.timeout(PATIENCE.balancer_connect):
                    return await self._connect_to(address)
            except OSError as error:  # refused, timed out, or TLS failed: no request was sent
                problem = f"cannot connect: {address}:{self._port}: {error or type(error).__name__}"
        self._book.refused()
        raise NotConnected(problem)

    async def _connect_to(self, address: str) -> RestConnection:
        loop = asyncio.get_running_loop()
        to = self._dialer.destination(address, self._port)
        with contextlib.ExitStack() as undo:
            opened = socket.socket(to.family)
            undo.callback(opened.close)
            opened.setblocking(False)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Known before `grpc_sockets` can see the connection, so that it is never counted as gRPC's.
            opened.bind(("", 0))
            flow = Flow(opened.getsockname()[1], address)
            self._flows.add(flow)
            undo.callback(self._flows.discard, flow)
            await loop.sock_connect(opened, (to.host, to.port))
            _, connection = await loop.create_connection(
                lambda: RestConnection(
                    self.name,
                    flow,
                    self._ledger,
                    self._flows.discard,
                    to.shown,
                    is_kept=self._rules.keeps_connection,
                ),
                sock=opened,
                ssl=self._tls,
                server_hostname=self._host,
            )
            # From here on the connection closes its socket and forgets its flow itself.
            undo.pop_all()
        return connection


def _learn(entry: Entry, answer: HttpAnswer) -> None:
    headers = answer.headers
    entry.status = str(answer.status)
    for name, field in _FIELDS:
        setattr(entry, field, headers.get(name, b"").decode())


def _is_complete(entry: Entry, identifier: str, body: bytes) -> bool:
    if entry.call:  # its end was parsed; the body may be anything
        return entry.call.status in (None, int(entry.status))
    try:
        lines = body.splitlines()
        return len(lines) == entry.messages and all(orjson.loads(line)["id"] == identifier for line in lines)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False
