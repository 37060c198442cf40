"""`DnsSilent` as it strikes a name server, and as it is undone."""

from __future__ import annotations

import dns.message

from testbed.faults.dns_silent import DnsSilent
from tests.faults.conftest import NameServer


async def test_no_question_has_an_answer_until_it_ends(name_server: NameServer) -> None:
    wire = dns.message.make_query("api.example.com", "A").to_wire()
    with name_server.struck(DnsSilent()):
        assert name_server.server.respond(wire) is None
        assert name_server.server.respond(wire, over_udp=False) is None
    assert name_server.server.respond(wire) is not None
    assert await name_server.address() == "10.0.0.1"
