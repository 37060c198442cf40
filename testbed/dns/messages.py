"""DNS messages: the bytes of a question become a question, an answer becomes bytes (RFC 1035, 6891, 7766).

dnspython reads, and what it read is remembered: clients ask the same again and again, with another id. The
answer is written here, because that has to be quick; tests read it with dnspython.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdataclass import IN
from dns.rdatatype import RdataType

from testbed.dns.answer import Answer, Question, Records
from testbed.dns.names import lowered, name_of

UDP_SIZE = 512
"""Bytes that a client without EDNS takes over UDP."""
EDNS_SIZE = 4096
"""Bytes that Route 53 sends at most over UDP."""
TCP_SIZE = 65535
REMEMBERED_QUERIES = 4096
_HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")
_OPT = struct.Struct("!BHHIH")
_IS_ANSWER = 0x8000
_OPCODE = 0x7800
_KEPT_FLAGS = _OPCODE | dns.flags.RD
_ASKED = b"\xc0\x0c"
"""A pointer to the name in the question, which stands right behind the header."""


@dataclass(frozen=True, slots=True)
class Query:
    """What was read of a message.

    Attributes:
        question: what is asked; None where `refusal` says why it is not answered.
        section: the question as bytes, in the spelling of the client.
        udp_size: bytes that the client takes over UDP.
        has_edns: whether an OPT record belongs into the answer.
        refusal: FORMERR, REFUSED or BADVERS.
    """

    question: Question | None = None
    section: bytes = b""
    udp_size: int = UDP_SIZE
    has_edns: bool = False
    refusal: Rcode = Rcode.NOERROR


def reply(wire: bytes, decide: Callable[[Question], Answer], *, over_udp: bool) -> bytes | None:
    """The bytes to send back, or None for what deserves no answer: rubbish, and answers sent to a server.

    Args:
        wire: the message as it came.
        decide: answers a question.
        over_udp: whether the answer must fit what the client takes over UDP; too long, it is cut (TC).
    """
    if len(wire) < _HEADER.size:
        return None
    number, flags, *_ = _HEADER.unpack_from(wire)
    if flags & _IS_ANSWER:
        return None
    if (flags & _OPCODE) >> 11 != Opcode.QUERY:
        return _written(number, flags, Query(), Answer(Rcode.NOTIMP, is_authoritative=False), UDP_SIZE)
    query = read(wire[2:])
    given = (
        Answer(query.refusal, is_authoritative=False) if query.question is None else decide(query.question)
    )
    return _written(number, flags, query, given, query.udp_size if over_udp else TCP_SIZE)


@functools.lru_cache(maxsize=REMEMBERED_QUERIES)
def read(wire: bytes) -> Query:
    """Read a query without its id, the first two bytes."""
    try:
        message = dns.message.from_wire(b"\0\0" + wire)
    except (dns.exception.DNSException, ValueError):
        return Query(refusal=Rcode.FORMERR)
    if len(message.question) != 1 or wire[2:4] != b"\0\1":
        return Query(refusal=Rcode.FORMERR)
    (asked,) = message.question
    section = asked.name.to_wire() + _QUESTION.pack(asked.rdtype, asked.rdclass)  # type: ignore[operator]
    has_edns = message.edns >= 0
    size = max(UDP_SIZE, min(message.payload, EDNS_SIZE)) if has_edns else UDP_SIZE
    if message.edns > 0:
        return Query(None, section, size, has_edns, Rcode.BADVERS)
    if asked.rdclass != IN:
        return Query(None, section, size, has_edns, Rcode.REFUSED)
    question = Question(lowered(asked.name), asked.rdtype, bool(message.flags & dns.flags.RD))
    return Query(question, section, size, has_edns)


def _written(number: int, flags: int, query: Query, given: Answer, limit: int) -> bytes:
    flags = _IS_ANSWER | (flags & _KEPT_FLAGS) | (given.rcode & 0xF)
    if given.is_authoritative:
        flags |= dns.flags.AA
    # The upper bits of the rcode stand in the OPT record, with the version 0 and no flags.
    opt = _OPT.pack(0, RdataType.OPT, EDNS_SIZE, given.rcode >> 4 << 24, 0) if query.has_edns else b""
    answers, answered = _records(given.answers)
    authority, named = _records(given.authority)
    size = _HEADER.size + len(query.section) + len(opt) + len(answers)
    if answered and size + len(authority) > limit:
        authority, named = b"", 0  # the names of the servers are not worth a second query
    if size + len(authority) > limit:
        flags |= dns.flags.TC
        answers, answered, authority, named = b"", 0, b"", 0
    header = _HEADER.pack(number, flags, bool(query.section), answered, named, bool(opt))
    return header + query.section + answers + authority + opt


def _records(sections: Iterable[Records]) -> tuple[bytes, int]:
    """Records as bytes, and how many they are."""
    parts: list[bytes] = []
    for records in sections:
        owner = _ASKED if records.name is None else name_of(records.name).to_wire() or b""
        parts += [
            owner + _RECORD.pack(records.type, IN, records.ttl, len(value.wire)) + value.wire
            for value in records.values
        ]
    return b"".join(parts), len(parts)
