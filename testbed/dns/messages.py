"""DNS messages: the bytes of a question become a question, an answer becomes bytes (RFC 1035, 6891, 7766)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

import dns.exception
import dns.flags
import dns.message
import dns.rrset
from dns.name import Name
from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdataclass import IN

from testbed.dns.answer import Answer, Question, Records
from testbed.dns.names import lowered, name_of

UDP_SIZE = 512
"""Bytes that a client without EDNS takes over UDP."""
EDNS_SIZE = 4096
"""Bytes that Route 53 sends at most over UDP."""
TCP_SIZE = 65535
_HEADER = struct.Struct("!HHHHHH")
_IS_ANSWER = 0x8000
_OPCODE = 0x7800
_KEPT_FLAGS = _OPCODE | dns.flags.RD


def reply(wire: bytes, decide: Callable[[Question], Answer], *, over_udp: bool) -> bytes | None:
    """The bytes to send back, or None for what deserves no answer: rubbish, and answers sent to a server.

    Args:
        wire: the message as it came.
        decide: answers a question.
        over_udp: whether the answer must fit what the client takes over UDP; too long, it is cut (TC).
    """
    if len(wire) < _HEADER.size:
        return None
    _, flags, questions, *_ = _HEADER.unpack_from(wire)
    if flags & _IS_ANSWER:
        return None
    if (flags & _OPCODE) >> 11 != Opcode.QUERY:
        return _refusal(wire, flags, Rcode.NOTIMP)
    try:
        query = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return _refusal(wire, flags, Rcode.FORMERR)
    if questions != 1 or len(query.question) != 1:
        return _refusal(wire, flags, Rcode.FORMERR)
    return _respond(query, decide, over_udp)


def _refusal(wire: bytes, flags: int, rcode: Rcode) -> bytes:
    """A bare header: nothing of a message that was not understood is sent back but its id."""
    number = int.from_bytes(wire[:2], "big")
    return _HEADER.pack(number, _IS_ANSWER | (flags & _KEPT_FLAGS) | rcode, 0, 0, 0, 0)


def _respond(query: dns.message.Message, decide: Callable[[Question], Answer], over_udp: bool) -> bytes:
    (asked,) = query.question
    response = dns.message.make_response(query, our_payload=EDNS_SIZE)
    if query.edns > 0:
        response.set_rcode(Rcode.BADVERS)
        return response.to_wire()
    if asked.rdclass != IN:
        response.set_rcode(Rcode.REFUSED)
        return response.to_wire()
    recursive = bool(query.flags & dns.flags.RD)
    given = decide(Question(lowered(asked.name), asked.rdtype, recursive))
    response.set_rcode(given.rcode)
    if given.is_authoritative:
        response.flags |= dns.flags.AA
    response.answer = _rrsets(given.answers, asked.name)
    response.authority = _rrsets(given.authority, asked.name)
    limit = _udp_limit(query) if over_udp else TCP_SIZE
    return _fitted(response, limit)


def _udp_limit(query: dns.message.Message) -> int:
    return max(UDP_SIZE, min(query.payload, EDNS_SIZE)) if query.edns >= 0 else UDP_SIZE


def _fitted(response: dns.message.Message, limit: int) -> bytes:
    # The answer's order was chosen already, so dnspython must not shuffle it again.
    try:
        return response.to_wire(max_size=limit, want_shuffle=False)
    except dns.exception.TooBig:
        if response.answer:
            response.authority = []  # the names of the servers are not worth a second query
    try:
        return response.to_wire(max_size=limit, want_shuffle=False)
    except dns.exception.TooBig:
        response.flags |= dns.flags.TC
        response.answer, response.authority = [], []
        return response.to_wire(max_size=limit)


def _rrsets(sections: Iterable[Records], asked: Name) -> list[dns.rrset.RRset]:
    sets = []
    for records in sections:
        owner = asked if records.name is None else name_of(records.name)
        rrset = dns.rrset.RRset(owner, IN, records.type)
        rrset.update_ttl(records.ttl)
        for value in records.values:
            rrset.add(value)
        sets.append(rrset)
    return sets
