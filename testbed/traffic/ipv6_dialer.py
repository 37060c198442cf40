"""How the clients connect to an address: by IPv4, or, at the stand-in of an IPv6 address, by IPv6 to `::1`.

gRPC's library looks up and connects by itself. To it, the stand-ins are addresses behind an HTTP proxy, as
GRPC_ADDRESS_HTTP_PROXY tells it in production: it keeps the decision which address it takes, and when. For a
model that the library plays, all addresses are: the connections of grpcio cannot be told from one another.

```
channel ──CONNECT 127.255.10.1:8443──► relay ──IPv6──► [::1]:17040
        ◄── 200, or 502 if nothing listens there
```
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import cast

from testbed import ipv6_loopback
from testbed.ipv6_loopback import NodePorts
from testbed.journal import Family
from testbed.network import STAND_INS
from testbed.settings import PATIENCE
from testbed.traffic.grpc_sockets import GRPC, Flow
from testbed.traffic.ledger import Ledger

_MOST_OF_A_REQUEST = 4096
_ALL = "0.0.0.0/0"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to connect; `shown` is the address as DNS answers it."""

    family: socket.AddressFamily
    host: str
    port: int
    shown: str


class Dialer:
    """Knows where to connect for an address of a DNS answer. `ports` is None if no client has IPv6."""

    def __init__(self, ports: NodePorts | None) -> None:
        self._ports = ports

    def destination(self, address: str, port: int) -> Destination:
        """Return where to connect.

        Raises:
            OSError: refused: a node has no listener at this port.
        """
        if not ipv6_loopback.is_stand_in(address):
            return Destination(socket.AF_INET, address, port, address)
        found = self._ports.find(address, port) if self._ports else None
        if found is None:
            raise OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        return Destination(socket.AF_INET6, ipv6_loopback.ADDRESS, found.port, found.aaaa)


def family_of(address: str) -> Family:
    """Return the family by which a client connects to an address of a DNS answer."""
    return "ipv6" if ipv6_loopback.is_stand_in(address) else "ipv4"


class Relay:
    """The way of one gRPC channel to IPv6 addresses. It listens from the start and answers once started.

    With `model`, it is the way to all addresses, and the name of the channel's connections.
    """

    def __init__(self, dialer: Dialer, ledger: Ledger, model: str = GRPC) -> None:
        self._dialer, self._ledger, self._model = dialer, ledger, model
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._server: asyncio.Server | None = None
        self._open: set[_ToBalancer] = set()
        self._flows: set[Flow] = set()
        self._dialing: set[asyncio.Task[None]] = set()

    @property
    def takes_all(self) -> bool:
        """True if each connection of the channel goes through it."""
        return self._model != GRPC

    @property
    def options(self) -> list[tuple[str, str]]:
        """The channel's options."""
        address, port = self._listening.getsockname()
        return [
            ("grpc.address_http_proxy", f"{address}:{port}"),
            ("grpc.address_http_proxy_enabled_addresses", _ALL if self.takes_all else str(STAND_INS)),
        ]

    @property
    def family(self) -> Family:
        """The family by which the channel is connected. While one drains, the other may already serve."""
        return "ipv6" if any(one.is_ipv6 for one in self._open) else "ipv4"

    def flows(self) -> Set[Flow]:
        """Return its own connections by IPv4, from before they open until they are gone."""
        return self._flows

    async def start(self) -> None:
        """Answer the channel."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _FromChannel(self._dial), sock=self._listening)

    def close(self) -> None:
        """End all connections, once the channel has closed."""
        for task in self._dialing:
            task.cancel()
        for connection in tuple(self._open):
            connection.transport.abort()
        if self._server:
            self._server.close()
        else:
            self._listening.close()

    def _dial(self, channel: _FromChannel, address: str, port: int) -> None:
        task = asyncio.get_running_loop().create_task(self._connect(channel, address, port))
        self._dialing.add(task)
        task.add_done_callback(self._dialing.discard)

    async def _connect(self, channel: _FromChannel, address: str, port: int) -> None:
        try:
            to = self._dialer.destination(address, port)
            async with asyncio.timeout(PATIENCE.balancer_connect):
                await self._connect_to(channel, to)
        except OSError:  # also a timeout
            channel.refuse()

    async def _connect_to(self, channel: _FromChannel, to: Destination) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as undo:
            opened = socket.socket(to.family)
            undo.callback(opened.close)
            opened.setblocking(False)
            # Known before `grpc_sockets` can see it, which counts what belongs to nobody else.
            opened.bind(("::1" if to.family is socket.AF_INET6 else "", 0))
            flow = Flow(opened.getsockname()[1], to.host)
            self._flows.add(flow)
            undo.callback(self._flows.discard, flow)
            await loop.sock_connect(opened, (to.host, to.port))
            await loop.create_connection(
                lambda: _ToBalancer(channel, to, flow, self._told, self._ended), sock=opened
            )
            undo.pop_all()

    def _told(self, connection: _ToBalancer) -> None:
        self._open.add(connection)
        self._ledger.opened(self._id(connection), self._model, connection.to.shown)

    def _ended(self, connection: _ToBalancer) -> None:
        self._flows.discard(connection.flow)
        if connection in self._open:
            self._open.discard(connection)
            self._ledger.closed(self._id(connection), self._model, connection.to.shown, "")

    def _id(self, connection: _ToBalancer) -> str:
        return f"{self._model}/{'[::1]:' if connection.is_ipv6 else ''}{connection.flow.local_port}"


class _Half(asyncio.Protocol):
    """One of the two connections of a relay. What it reads goes to the other, as fast as that one sends."""

    transport: asyncio.Transport
    other: _Half | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.other:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        if self.other:
            self.other.transport.write_eof()
        return self.other is not None  # the other direction goes on

    def pause_writing(self) -> None:
        if self.other:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other:
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self.other is None:
            return
        if error:
            self.other.transport.abort()  # a reset stays a reset
        else:
            self.other.transport.close()


class _FromChannel(_Half):
    """The connection of gRPC's library."""

    def __init__(self, dial: Callable[[_FromChannel, str, int], None]) -> None:
        self._dial = dial
        self._head = b""

    def data_received(self, data: bytes) -> None:
        if self.other:
            super().data_received(data)
            return
        self._head += data
        if b"\r\n\r\n" in self._head:
            self.transport.pause_reading()
            address, _, port = self._head.split(b" ", 2)[1].decode().rpartition(":")
            self._dial(self, address, int(port))
        elif len(self._head) > _MOST_OF_A_REQUEST:
            self.transport.abort()

    def accept(self, other: _ToBalancer) -> None:
        """Tell the channel that it is connected."""
        self.other = other
        self.transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.transport.resume_reading()

    def refuse(self) -> None:
        """Tell the channel that nothing listens there."""
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()


class _ToBalancer(_Half):
    """The connection to a balancer's node."""

    def __init__(
        self,
        channel: _FromChannel,
        to: Destination,
        flow: Flow,
        tell: Callable[[_ToBalancer], None],
        ended: Callable[[_ToBalancer], None],
    ) -> None:
        self._channel, self.to, self.flow = channel, to, flow
        self._tell, self._ended = tell, ended

    @property
    def is_ipv6(self) -> bool:
        return self.to.family is socket.AF_INET6

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._channel.transport.is_closing():  # gRPC has given up meanwhile
            self.transport.abort()
            return
        self._tell(self)
        self.other = self._channel
        self._channel.accept(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._ended(self)
        super().connection_lost(error)
