"""`DnsServfail` as it strikes a name server, and as it is undone."""

from __future__ import annotations

import dns.rcode

from testbed.faults.dns_servfail import DnsServfail
from tests.faults.conftest import NameServer


async def test_every_answer_is_servfail_until_it_ends(name_server: NameServer) -> None:
    with name_server.struck(DnsServfail()):
        assert (await name_server.ask()).rcode() == dns.rcode.SERVFAIL
        assert (await name_server.ask(tcp=True)).rcode() == dns.rcode.SERVFAIL
    assert await name_server.address() == "10.0.0.1"
