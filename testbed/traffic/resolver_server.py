"""A resolver between the clients of a run and its zone: the state machine of `testbed.resolvers` on a socket.

```
client ──UDP──► resolver ──(not in its cache)──► the run's DNS server
```
It lives in the generator's process, on a loopback port of its own, so gRPC's own resolver can ask it.
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import cast

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from testbed.clock import Clock
from testbed.resolvers.resolver import Answer, Question, Resolver
from testbed.resolvers.resolver_model import Outcome, ResolverModel
from testbed.settings import PATIENCE
from testbed.traffic import dns_questions

_LONGEST_TTL = 2**31 - 1  # RFC 2181, 8
_CACHED = ("A", "AAAA")
_RCODES = {
    Outcome.NO_NAME: dns.rcode.NXDOMAIN,
    Outcome.FAILURE: dns.rcode.SERVFAIL,
}


class ResolverServer(asyncio.DatagramProtocol):
    """Answers questions from its cache, or from the authority at `upstream`."""

    def __init__(
        self, model: ResolverModel, upstream: tuple[str, int], clock: Clock, region: str = ""
    ) -> None:
        """It stands in `region`; "" for that of the run."""
        self._region = region
        self._resolver = Resolver(model)
        self._upstream = upstream
        self._clock = clock
        self._transport: asyncio.DatagramTransport | None = None
        self._working: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls, model: ResolverModel, upstream: tuple[str, int], clock: Clock, region: str = ""
    ) -> ResolverServer:
        """Listen at a free port: of the authority's own address, if that is one of this machine."""
        made = cls(model, upstream, clock, region)
        here = upstream[0] if ipaddress.ip_address(upstream[0]).is_loopback else "127.0.0.1"
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: made, local_addr=(here, 0))
        return made

    @property
    def server(self) -> tuple[str, int]:
        """Address and port."""
        assert self._transport
        address, port = self._transport.get_extra_info("sockname")[:2]
        return address, port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket for the answers."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        try:
            query = dns.message.from_wire(data)
        except (dns.exception.DNSException, ValueError):
            return
        if len(query.question) != 1 or query.flags & dns.flags.QR:
            return
        task = asyncio.get_running_loop().create_task(self._answer(query, addr))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def close(self) -> None:
        """Stop answering."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        if self._transport:
            self._transport.close()

    async def _answer(self, query: dns.message.Message, sender: tuple[str, int]) -> None:
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        if kind in _CACHED:
            wire = _written(query, kind, await self._resolve(query.question[0].name, kind))
        else:
            wire = await self._forward(query)
        if wire and self._transport and not self._transport.is_closing():
            self._transport.sendto(wire, sender)

    async def _resolve(self, name: dns.name.Name, kind: str) -> Answer:
        question = (name.to_text(omit_final_dot=True).lower(), kind)
        member = self._resolver.next_member()
        cached = self._resolver.ask(question, self._clock.now(), member)
        if cached is None:
            return await self._ask(question, member)
        if cached.refresh:
            task = asyncio.get_running_loop().create_task(self._refresh(question, member))
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        return cached.answer

    async def _refresh(self, question: Question, member: int) -> None:
        await self._ask(question, member)

    async def _ask(self, question: Question, member: int) -> Answer:
        heard = await dns_questions.ask(*question, self._upstream, self._region)
        return self._resolver.learn(question, self._clock.now(), heard, member)

    async def _forward(self, query: dns.message.Message) -> bytes | None:
        """Return the authority's own answer to a question that is not about addresses."""
        address, port = self._upstream
        try:
            response = await dns.asyncquery.udp(query, address, PATIENCE.dns_query, port)
        except (dns.exception.DNSException, OSError):
            return None
        return response.to_wire()


def _written(query: dns.message.Message, kind: str, answer: Answer) -> bytes | None:
    """Return the message that carries an answer; None for silence."""
    if answer.outcome is Outcome.SILENCE:
        return None
    response = dns.message.make_response(query, recursion_available=True)
    response.set_rcode(_RCODES.get(answer.outcome, dns.rcode.NOERROR))
    name = query.question[0].name
    if answer.addresses:
        records = dns.rrset.from_text_list(name, _whole(answer.ttl), "IN", kind, answer.addresses)
        response.answer.append(records)
    elif answer.outcome in (Outcome.NO_NAME, Outcome.NO_DATA):
        soa = f". . 1 0 0 0 {_whole(answer.soa_minimum)}"
        zone = name.parent() if len(name) > 1 else name
        response.authority.append(dns.rrset.from_text(zone, _whole(answer.soa_ttl), "IN", "SOA", soa))
    return response.to_wire()


def _whole(seconds: float) -> int:
    return int(min(seconds, _LONGEST_TTL))
