"""Asks a DNS server for the addresses of a name, and returns its answer as a value, whatever it is."""

from __future__ import annotations

import dns.asyncquery
import dns.asyncresolver
import dns.edns
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from testbed.resolvers.regions import OPTION
from testbed.resolvers.resolver import Answer
from testbed.resolvers.resolver_model import Outcome
from testbed.settings import PATIENCE

_HAS_EDNS = 0


async def ask(host: str, kind: str, server: tuple[str, int], region: str = "") -> Answer:
    """Ask a server once for the records of a type, `A` or `AAAA`; over TCP too if it says so.

    Without an answer in time the outcome is `SILENCE`; any answer but the name's own is `FAILURE`. The
    question comes from `region`; "" is that of the run.
    """
    wanted = dns.rdatatype.from_text(kind)
    told: list[dns.edns.Option] = []
    if region:
        told.append(dns.edns.GenericOption(dns.edns.OptionType.make(OPTION), region.encode()))
    query = dns.message.make_query(dns.name.from_text(host), wanted, use_edns=_HAS_EDNS, options=told)
    address, port = server
    try:
        response, _ = await dns.asyncquery.udp_with_fallback(
            query, address, PATIENCE.dns_query, port, ignore_unexpected=True, ignore_errors=True
        )
    except dns.exception.Timeout:
        return Answer(Outcome.SILENCE)
    except (dns.exception.DNSException, OSError, EOFError):
        return Answer(Outcome.FAILURE)
    return read(response, wanted)


def read(response: dns.message.Message, wanted: dns.rdatatype.RdataType) -> Answer:
    """Return a message as a value; a CNAME lends the addresses the least TTL of the chain."""
    if response.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Answer(Outcome.FAILURE)
    addresses = tuple(
        record.address for records in response.answer if records.rdtype == wanted for record in records
    )
    if addresses:
        return Answer(Outcome.ADDRESSES, addresses, float(min(records.ttl for records in response.answer)))
    outcome = Outcome.NO_NAME if response.rcode() == dns.rcode.NXDOMAIN else Outcome.NO_DATA
    for records in response.authority:
        if records.rdtype == dns.rdatatype.SOA:
            return Answer(outcome, soa_ttl=float(records.ttl), soa_minimum=float(records[0].minimum))
    return Answer(outcome)
