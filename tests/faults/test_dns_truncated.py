"""`DnsTruncated` as it strikes a name server, and as it is undone."""

from __future__ import annotations

import dns.flags

from testbed.faults.dns_truncated import DnsTruncated
from tests.faults.conftest import NameServer


async def test_a_client_finds_the_answer_over_tcp_alone(name_server: NameServer) -> None:
    with name_server.struck(DnsTruncated()):
        over_udp = await name_server.ask()
        assert over_udp.flags & dns.flags.TC
        assert not over_udp.answer
        assert (await name_server.ask(tcp=True)).answer[0][0].to_text() == "10.0.0.1"
    assert await name_server.address() == "10.0.0.1"
