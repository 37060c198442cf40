"""`DnsNxdomain` as it strikes a name server, and as it is undone."""

from __future__ import annotations

import dns.rcode
import dns.rdatatype

from testbed.dns.hosted_zone import SOA_TTL
from testbed.faults.dns_nxdomain import DnsNxdomain
from tests.faults.conftest import NameServer


async def test_no_name_is_there_until_it_ends_and_caches_may_keep_that(name_server: NameServer) -> None:
    with name_server.struck(DnsNxdomain()):
        answer = await name_server.ask()
        assert answer.rcode() == dns.rcode.NXDOMAIN
        (soa,) = answer.authority
        assert (soa.rdtype, soa.ttl) == (dns.rdatatype.SOA, SOA_TTL)
    assert await name_server.address() == "10.0.0.1"
