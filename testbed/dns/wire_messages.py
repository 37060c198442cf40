"""Reads the bytes of DNS questions and writes those of answers (RFC 1035, 6891, 7766).

dnspython reads. The result is cached, because clients repeat their questions with another id. The answer is
written by hand, because dnspython is too slow for that; tests read it with dnspython.
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

from testbed.dns.domain_names import lowered, name_of
from testbed.dns.route53_answers import Answer, Question, Records
from testbed.resolvers.regions import OPTION
from testbed.settings import REGION

UDP_SIZE = 512
"""Most bytes that a client without EDNS accepts over UDP."""
EDNS_SIZE = 4096
"""Most bytes that Route 53 sends over UDP."""
TCP_SIZE = 65535
REMEMBERED_QUERIES = 4096
_HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")
_OPT = struct.Struct("!BHHIH")
_IS_ANSWER = 0x8000
_OPCODE = 0x7800
_KEPT_FLAGS = _OPCODE | dns.flags.RD
_NAME_OF_QUESTION = b"\xc0\x0c"
"""A pointer to the name in the question, which follows the header."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query.

    Attributes:
        question: the question; None if the query is refused.
        section: the question as bytes, in the client's spelling.
        udp_size: most bytes that the client accepts over UDP.
        has_edns: True if the answer needs an OPT record.
        refusal: FORMERR, REFUSED or BADVERS if `question` is None.
    """

    question: Question | None = None
    section: bytes = b""
    udp_size: int = UDP_SIZE
    has_edns: bool = False
    refusal: Rcode = Rcode.NOERROR


def reply(
    wire: bytes, decide: Callable[[Question], Answer], *, over_udp: bool, truncates: bool = False
) -> bytes | None:
    """Return the bytes of the answer; None for a message that is too short, or is itself an answer.

    Args:
        wire: the received message.
        decide: answers a question.
        over_udp: True if the answer must fit into the client's UDP size; a longer one is truncated (TC).
        truncates: True if every answer over UDP is truncated.
    """
    if len(wire) < _HEADER.size:
        return None
    number, flags, *_ = _HEADER.unpack_from(wire)
    if flags & _IS_ANSWER:
        return None
    if (flags & _OPCODE) >> 11 != Opcode.QUERY:
        return _written(number, flags, Query(), Answer(Rcode.NOTIMP, is_authoritative=False), UDP_SIZE)
    query = read(wire[2:])
    decided = (
        Answer(query.refusal, is_authoritative=False) if query.question is None else decide(query.question)
    )
    if over_udp and truncates:
        return _written(number, flags, query, decided, 0)
    return _written(number, flags, query, decided, query.udp_size if over_udp else TCP_SIZE)


@functools.lru_cache(maxsize=REMEMBERED_QUERIES)
def read(wire: bytes) -> Query:
    """Read a query without its id, which is its first two bytes."""
    try:
        message = dns.message.from_wire(b"\0\0" + wire)
    except (dns.exception.DNSException, ValueError):
        return Query(refusal=Rcode.FORMERR)
    # Bytes 2 and 3 are QDCOUNT: dnspython merges equal questions into one.
    if len(message.question) != 1 or wire[2:4] != b"\0\1":
        return Query(refusal=Rcode.FORMERR)
    (entry,) = message.question
    section = entry.name.to_wire() + _QUESTION.pack(entry.rdtype, entry.rdclass)  # type: ignore[operator]
    has_edns = message.edns >= 0
    size = max(UDP_SIZE, min(message.payload, EDNS_SIZE)) if has_edns else UDP_SIZE
    if message.edns > 0:
        return Query(None, section, size, has_edns, Rcode.BADVERS)
    if entry.rdclass != IN:
        return Query(None, section, size, has_edns, Rcode.REFUSED)
    region = next((one.data for one in message.options if one.otype == OPTION), b"")
    question = Question(
        lowered(entry.name),
        entry.rdtype,
        bool(message.flags & dns.flags.RD),
        region.decode("ascii", "replace") or REGION,
    )
    return Query(question, section, size, has_edns)


def _written(number: int, flags: int, query: Query, decided: Answer, limit: int) -> bytes:
    flags = _IS_ANSWER | (flags & _KEPT_FLAGS) | (decided.rcode & 0xF)
    if decided.is_authoritative:
        flags |= dns.flags.AA
    # The OPT record has the upper bits of the rcode, version 0 and no flags.
    opt = _OPT.pack(0, RdataType.OPT, EDNS_SIZE, decided.rcode >> 4 << 24, 0) if query.has_edns else b""
    answers, answered = _records(decided.answers)
    authority, named = _records(decided.authority)
    size = _HEADER.size + len(query.section) + len(opt) + len(answers)
    if answered and size + len(authority) > limit:
        authority, named = b"", 0  # the servers' names are not worth a second query over TCP
    if size + len(authority) > limit:
        flags |= dns.flags.TC
        # A truncated answer carries no records: a client asks again over TCP anyway (RFC 2181, 9).
        answers, answered, authority, named = b"", 0, b"", 0
    header = _HEADER.pack(number, flags, bool(query.section), answered, named, bool(opt))
    return header + query.section + answers + authority + opt


def _records(sections: Iterable[Records]) -> tuple[bytes, int]:
    """Return records as bytes, and their number."""
    parts: list[bytes] = []
    for records in sections:
        owner = _NAME_OF_QUESTION if records.name is None else name_of(records.name).to_wire() or b""
        parts += [
            owner + _RECORD.pack(records.type, IN, records.ttl, len(value.wire)) + value.wire
            for value in records.values
        ]
    return b"".join(parts), len(parts)
