"""`DnsStale` as it strikes a name server, and as it is undone."""

from __future__ import annotations

from testbed.faults.dns_stale import DnsStale
from tests.faults.conftest import NameServer


async def test_a_change_is_answered_once_it_ends(name_server: NameServer) -> None:
    with name_server.struck(DnsStale()):
        name_server.change("10.0.0.2")
        assert await name_server.address() == "10.0.0.1"
    assert await name_server.address() == "10.0.0.2"
