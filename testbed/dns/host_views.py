"""The answers of a DNS server as programs on a host without IPv6, and on one with IPv6, use them.

```
records            A 127.80.11.1 (the ALB)     AAAA ::ffff:127.80.10.1 (the NLB)
host without IPv6  A 127.80.11.1               no AAAA
host with IPv6     A 127.255.10.1, 127.80.11.1 (IPv6 first, as a stand-in; then IPv4)
```
A program asks for both types and sorts what it gets. Without an IPv6 address it drops AAAA (RFC 6724, rule
1); with one, AAAA comes first (its precedence table). The resolvers in the clients cannot do that here,
because this machine has no route by which they could tell: see `testbed/ipv6_loopback.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dns.rdatatype import RdataType

from testbed import ipv6_loopback
from testbed.dns.dns_server import DnsServer
from testbed.dns.hosted_zone import Value
from testbed.dns.route53_answers import Answer, Question, Records

Decide = Callable[[Question], Answer]
View = Callable[[Question, Decide], Answer]


def of_ipv4_host(question: Question, decide: Decide) -> Answer:
    """Return the answer to a question as a host without IPv6 uses it."""
    own = decide(question)
    return _without_addresses(own) if question.type == RdataType.AAAA else own


def of_ipv6_host(question: Question, decide: Decide) -> Answer:
    """Return the answer to a question as a host with IPv6 uses it: all addresses are in that to A."""
    if question.type == RdataType.AAAA:
        return _without_addresses(decide(question))
    ipv4 = decide(question)
    if question.type != RdataType.A:
        return ipv4
    ipv6 = decide(replace(question, type=RdataType.AAAA))
    first = [one for one in ipv6.answers if one.type == RdataType.AAAA]
    last = [one for one in ipv4.answers if one.type == RdataType.A]
    stand_ins = [found for one in first for value in one.values if (found := _stand_in(value))]
    if not stand_ins:
        return ipv4
    # One set of records, because a name has one of a type: the order of its values is that of the host.
    values = (*stand_ins, *(value for one in last for value in one.values))
    ttl = min(one.ttl for one in (*first, *last))
    names = tuple(one for one in ipv6.answers if one.type == RdataType.CNAME)
    both = Records(first[0].name, RdataType.A, ttl, values)
    return replace(ipv6, answers=(*names, both))


def _without_addresses(own: Answer) -> Answer:
    if not any(one.type == RdataType.AAAA for one in own.answers):
        return own
    return replace(own, answers=tuple(one for one in own.answers if one.type != RdataType.AAAA))


def _stand_in(aaaa: Value) -> Value | None:
    # An AAAA record with addresses of its own leads to no balancer, and to nothing on this machine.
    found = ipv6_loopback.stand_in_of(aaaa.text)
    return Value.of(RdataType.A, found) if found else None


class DnsView(DnsServer):
    """Answers at another address what `server` decides, as one kind of host sees it."""

    def __init__(self, address: str, server: DnsServer, port: int, view: View) -> None:
        super().__init__(address, port, server.zones, server.surroundings)
        self._server, self._view = server, view
        self.struck = server.struck  # the fault of a name server is that of every view of it

    def decide(self, question: Question) -> Answer:
        """Answer a question; the journal gets what the server itself would answer."""
        return self._view(question, self._server.decide)
