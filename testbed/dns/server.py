"""The DNS server of a run: UDP and TCP on one address, answers from the zones as they are at that moment."""

from __future__ import annotations

import asyncio
import collections
import errno
import struct
from collections.abc import Callable
from typing import cast

from testbed.clock import Clock
from testbed.dns.answer import Answer, Question, Surroundings, answer, shown
from testbed.dns.messages import reply
from testbed.dns.zones import Zones
from testbed.errors import Missing
from testbed.journal import DnsAnswer, Journal
from testbed.settings import PATIENCE

REMEMBERED_NAMES = 10_000
"""Names and types whose last answer is kept, to see when it changes; no more, as anybody may ask anything."""
_LENGTH = struct.Struct("!H")
_WHY = {
    errno.EADDRINUSE: "is taken",
    errno.EACCES: "may not be bound by this user",
    errno.EADDRNOTAVAIL: "is no address of this machine",
}


class DnsServer:
    """Answers over UDP and TCP while it is entered. An asynchronous context manager.

    Args:
        address, port: where it listens; port 0 takes a free one.
        zones: the hosted zones now; called for each question.
        surroundings: the balancers' addresses, their health, and chance.
        journal: takes a `DnsAnswer` when a name's answer differs from the one before it.
        clock: the run's clock, for the journal.
    """

    def __init__(
        self,
        address: str,
        port: int,
        zones: Callable[[], Zones],
        surroundings: Surroundings,
        *,
        journal: Journal | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.address = address
        self.port = port
        self._zones = zones
        self._surroundings = surroundings
        self._journal = journal
        self._clock = clock or Clock()
        self._last: collections.OrderedDict[tuple[str, str], object] = collections.OrderedDict()
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen.

        Raises:
            Missing: the address and port cannot be bound.
        """
        try:
            self._tcp = await asyncio.start_server(self._serve_tcp, self.address, self.port)
            self.port = self._tcp.sockets[0].getsockname()[1]
            self._udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Udp(self.respond), (self.address, self.port)
            )
        except OSError as error:
            await self.stop()
            why = _WHY.get(error.errno or 0, f"cannot be bound: {error.strerror}")
            raise Missing(
                f"DNS: {self.address}:{self.port} {why}", do="stop what listens there or use another network"
            ) from None

    async def stop(self) -> None:
        """Close the sockets and the open TCP connections."""
        if self._udp:
            self._udp.close()
        if self._tcp:
            self._tcp.close()
            for writer in list(self._writers):
                writer.close()
            await self._tcp.wait_closed()

    async def __aenter__(self) -> DnsServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def decide(self, question: Question) -> Answer:
        """The answer to a question now, told to the journal if it is another than before."""
        given = answer(self._zones(), question, self._surroundings)
        if self._journal:
            self._tell(self._journal, question, given)
        return given

    def respond(self, wire: bytes, *, over_udp: bool = True) -> bytes | None:
        """The bytes that answer a message, or None."""
        return reply(wire, self.decide, over_udp=over_udp)

    def _tell(self, journal: Journal, question: Question, given: Answer) -> None:
        name, kind, rcode, values, ttl = shown(question, given)
        if self._last.get((name, kind)) == (rcode, values, ttl):
            return
        self._last[name, kind] = (rcode, values, ttl)
        self._last.move_to_end((name, kind))
        if len(self._last) > REMEMBERED_NAMES:
            self._last.popitem(last=False)
        time = self._clock.wall()
        journal.write(DnsAnswer(time=time, name=name, type=kind, rcode=rcode, answers=values, ttl=ttl))

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                async with asyncio.timeout(PATIENCE.api_call):
                    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                    wire = await reader.readexactly(length)
                response = self.respond(wire, over_udp=False)
                if response is None:
                    return
                writer.write(_LENGTH.pack(len(response)) + response)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            return  # the client is done, gone, or idle
        finally:
            self._writers.discard(writer)
            writer.close()


class _Udp(asyncio.DatagramProtocol):
    """Answers each datagram on its own."""

    def __init__(self, respond: Callable[[bytes], bytes | None]) -> None:
        self._respond = respond
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket to answer on."""
        # Neither asyncio's own class nor uvloop's derives from DatagramTransport.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one datagram."""
        response = self._respond(data)
        if response is not None and self._transport:
            self._transport.sendto(response, addr)
