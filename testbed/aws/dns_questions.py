"""TestDNSAnswer: what the name servers of Route 53 answer now, asked of the DNS server of the run."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from testbed.aws import route53_documents
from testbed.aws.answers import Answer, Refusal, refused
from testbed.settings import PATIENCE

NAMESERVER = "ns-2048.awsdns-64.com"
"""One of the four of a zone, as moto names them; here all are one server."""

Server = tuple[str, int]
"""Address and port."""


def asked(path: str) -> Mapping[str, str]:
    """Return the parameters of a call from its path: `hostedzoneid`, `recordname`, `recordtype`."""
    return dict(parse_qsl(path.partition("?")[2]))


async def answer(name: str, kind: str, server: Server | None) -> Answer:
    """Ask the server, and return the answer of TestDNSAnswer.

    Args:
        name: name of the record set.
        kind: its type.
        server: the DNS server of the run; None if there is none.
    """
    if server is None:
        return refused("route53", Refusal("InternalFailure", "no name server answers here", 500))
    from dns import asyncquery  # slow, and rarely asked for

    try:
        question = dns.message.make_query(name, kind)
        question.flags &= ~dns.flags.RD
        found = await asyncquery.udp(question, server[0], PATIENCE.dns_query, server[1])
    except (dns.exception.DNSException, OSError) as error:
        reason = str(error) or type(error).__name__
        return refused("route53", Refusal("InvalidInput", f"{name} {kind} cannot be asked for: {reason}"))
    wanted = dns.rdatatype.from_text(kind)
    values = [value.to_text() for one in found.answer if one.rdtype == wanted for value in one]
    return route53_documents.dns_answer(NAMESERVER, name, kind, values, dns.rcode.to_text(found.rcode()))
