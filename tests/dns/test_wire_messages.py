from __future__ import annotations

import struct
from typing import Any

import dns.edns
import dns.message
import dns.opcode
import dns.rcode
from hypothesis import given
from hypothesis import strategies as st

from testbed.dns.domain_names import name_of
from testbed.dns.route53_answers import Answer, Question, answer
from testbed.dns.wire_messages import EDNS_SIZE, UDP_SIZE, read, reply
from testbed.resolvers.regions import OPTION
from testbed.settings import REGION
from tests.dns.zones_of_route53 import ANY_RECORD, NAMES, around, zones


def exchange(wire: bytes) -> dns.message.Message | None:
    def decide(_: Question) -> Answer:
        return Answer(dns.rcode.NOERROR)

    sent = reply(wire, decide, over_udp=True)
    return dns.message.from_wire(sent) if sent else None


def test_a_message_that_is_no_question_is_refused_or_dropped() -> None:
    query = dns.message.make_query("api.example.com", "A", id=77)
    query.set_opcode(dns.opcode.NOTIFY)
    notimp = exchange(query.to_wire())
    assert notimp is not None
    assert (notimp.rcode(), notimp.id) == (dns.rcode.NOTIMP, 77)
    good = dns.message.make_query("api.example.com", "A", id=78).to_wire()
    broken = exchange(good[:-3])
    assert broken is not None
    assert (broken.rcode(), broken.id) == (dns.rcode.FORMERR, 78)
    two = exchange(good[:4] + struct.pack("!H", 2) + good[6:12] + good[12:] * 2)
    assert two is not None
    assert two.rcode() == dns.rcode.FORMERR
    assert exchange(b"") is None
    assert exchange(good[:11]) is None
    assert exchange(dns.message.make_response(dns.message.from_wire(good)).to_wire()) is None


def test_other_classes_are_refused_and_unknown_edns_versions_reported() -> None:
    chaos = exchange(dns.message.make_query("version.bind", "TXT", rdclass="CH").to_wire())
    assert chaos is not None
    assert chaos.rcode() == dns.rcode.REFUSED
    later = exchange(dns.message.make_query("a.example.com", "A", use_edns=1).to_wire())
    assert later is not None
    assert later.rcode() == dns.rcode.BADVERS


@given(
    st.lists(ANY_RECORD, max_size=8),
    NAMES,
    st.sampled_from(["A", "AAAA", "CNAME", "NS", "SOA", "ANY"]),
    st.booleans(),
)
def test_the_written_answer_is_the_decided_one(
    records: list[dict[str, Any]], name: str, kind: str, edns: bool
) -> None:
    given_answers: list[Answer] = []

    def decide(question: Question) -> Answer:
        given_answers.append(answer(zones(*records), question, around()))
        return given_answers[-1]

    query = dns.message.make_query(name, kind, use_edns=0 if edns else -1)
    wire = reply(query.to_wire(), decide, over_udp=False)
    assert wire is not None
    message = dns.message.from_wire(wire, one_rr_per_rrset=True)
    (decided,) = given_answers
    assert query.is_response(message)
    assert (message.rcode(), message.edns) == (decided.rcode, 0 if edns else -1)
    for section, written in ((decided.answers, message.answer), (decided.authority, message.authority)):
        expected = [
            (
                name_of(one.name) if one.name is not None else query.question[0].name,
                one.type,
                one.ttl,
                value.text,
            )
            for one in section
            for value in one.values
        ]
        assert [(one.name, one.rdtype, one.ttl, one[0].to_text()) for one in written] == expected


def test_a_query_gives_its_name_type_and_size() -> None:
    query = dns.message.make_query("ApI.example.com", "AAAA", use_edns=0, payload=1232)
    parsed = read(query.to_wire()[2:])
    assert parsed.question == Question((b"api", b"example", b"com"), 28, recursive=True)  # type: ignore[arg-type]
    assert parsed.section.startswith(b"\x03ApI")
    assert (parsed.has_edns, parsed.udp_size) == (True, 1232)
    assert read(dns.message.make_query("a.example.com", "A").to_wire()[2:]).udp_size == UDP_SIZE


def test_a_query_may_tell_its_region_and_else_has_that_of_the_run() -> None:
    told = [dns.edns.GenericOption(dns.edns.OptionType.make(OPTION), b"eu-west-1")]
    from_there = dns.message.make_query("a.example.com", "A", use_edns=0, options=told)  # type: ignore[arg-type]
    regions = [
        parsed.question.region
        for query in (from_there, dns.message.make_query("a.example.com", "A", use_edns=0))
        if (parsed := read(query.to_wire()[2:])).question
    ]
    assert regions == ["eu-west-1", REGION]


@given(st.integers(0, 65535))
def test_the_size_of_an_answer_is_between_the_limits_of_dns_and_of_route_53(payload: int) -> None:
    query = dns.message.make_query("a.example.com", "A", use_edns=0, payload=payload)
    assert UDP_SIZE <= read(query.to_wire()[2:]).udp_size <= EDNS_SIZE
