"""The DNS server of a run: UDP and TCP on one address, with answers from the current hosted zones."""

from __future__ import annotations

import asyncio
import collections
import errno
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from dns.rcode import Rcode

from testbed.clock import Clock
from testbed.dns.hosted_zone import Zones
from testbed.dns.route53_answers import Answer, Question, Surroundings, answer, shown
from testbed.dns.wire_messages import reply
from testbed.errors import Missing
from testbed.faults.spoiled_answers import Spoiled
from testbed.journal import DnsAnswer, Journal
from testbed.settings import PATIENCE

REMEMBERED_NAMES = 10_000
"""Most names and types whose last answer is kept to notice changes; clients may query any name."""
_LENGTH = struct.Struct("!H")
_WHY = {
    errno.EADDRINUSE: "is taken",
    errno.EACCES: "may not be bound by this user",
    errno.EADDRNOTAVAIL: "is no address of this machine",
}


class DnsServer:
    """An async context manager that answers over UDP and TCP while its block runs.

    Args:
        address, port: the address and port to listen on; port 0 takes a free one.
        zones: returns the current hosted zones; called for each question.
        surroundings: the balancers' addresses, their health, and chance.
        journal: gets a `DnsAnswer` when the answer for a name differs from its previous one.
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
        self.zones = zones
        self.surroundings = surroundings
        self.struck: list[_Struck] = []
        self._journal = journal
        self._clock = clock or Clock()
        self._last: collections.OrderedDict[tuple[str, str, str], object] = collections.OrderedDict()
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen.

        Raises:
            Missing: the address and port cannot be bound.
        """
        try:
            # TCP first: for port 0 the kernel chooses a port, which UDP then takes as well.
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
            # Since Python 3.12 this waits for open connections, so they are closed above.
            await self._tcp.wait_closed()

    async def __aenter__(self) -> DnsServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def decide(self, question: Question) -> Answer:
        """Answer a question, and write the answer to the journal if it has changed."""
        struck = next((one.zones for one in self.struck if one.zones is not None), self.zones)
        current = answer(struck(), question, self.surroundings)
        if self._journal:
            self._write_change(self._journal, question, current)
        return current

    def respond(self, wire: bytes, *, over_udp: bool = True) -> bytes | None:
        """Return the bytes that answer a message; None for a message without an answer."""
        effects = {one.effect for one in self.struck}
        if Spoiled.SILENCE in effects:
            return None
        decide = _servfail if Spoiled.SERVFAIL in effects else self.decide
        return reply(wire, decide, over_udp=over_udp, truncates=Spoiled.TRUNCATED in effects)

    @contextmanager
    def spoiled(self, effect: Spoiled) -> Iterator[None]:
        """Spoil each answer while the block lasts; call it from any thread."""
        now = self.zones()
        zones: Mapping[Spoiled, Callable[[], Zones]] = {
            Spoiled.STALE: lambda: now,
            Spoiled.NXDOMAIN: lambda: self.zones().without_records(),
        }
        one = _Struck(effect, zones.get(effect))
        self.struck.append(one)
        try:
            yield
        finally:
            self.struck.remove(one)

    def _write_change(self, journal: Journal, question: Question, current: Answer) -> None:
        name, kind, rcode, values, ttl = shown(question, current)
        key = name, kind, question.region  # resolvers of several regions ask in turns
        if self._last.get(key) == (rcode, values, ttl):
            return
        self._last[key] = (rcode, values, ttl)
        self._last.move_to_end(key)
        # The name that was asked for longest ago goes; its next answer is written again.
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
            return  # the client has finished, is gone, or idles
        finally:
            self._writers.discard(writer)
            writer.close()


@dataclass(frozen=True, slots=True, eq=False)
class _Struck:
    """A fault of the server while it lasts; `zones` returns those that it answers from, None for its own."""

    effect: Spoiled
    zones: Callable[[], Zones] | None


def _servfail(_: Question) -> Answer:
    return Answer(Rcode.SERVFAIL, is_authoritative=False)


class _Udp(asyncio.DatagramProtocol):
    """Answers each datagram by itself."""

    def __init__(self, respond: Callable[[bytes], bytes | None]) -> None:
        self._respond = respond
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket for the answers."""
        # Not isinstance: neither asyncio's own class nor uvloop's derives from DatagramTransport.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one datagram."""
        response = self._respond(data)
        if response is not None and self._transport:
            self._transport.sendto(response, addr)
