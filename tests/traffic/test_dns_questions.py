"""A question to a DNS server, and its answer as a value."""

from __future__ import annotations

import dns.message
import dns.rdatatype
import pytest

from testbed.resolvers.resolver import Answer
from testbed.resolvers.resolver_model import Outcome
from testbed.traffic.dns_questions import ask, read

HEAD = "id 1\nopcode QUERY\nrcode {}\nflags QR AA RD\n;QUESTION\napi.example.com. IN A\n"


@pytest.mark.parametrize(
    ("rcode", "sections", "answer"),
    [
        (
            "NOERROR",
            ";ANSWER\napi.example.com. 300 IN CNAME lb.example.com.\nlb.example.com. 60 IN A 127.0.0.2\n",
            Answer(Outcome.ADDRESSES, ("127.0.0.2",), 60.0),
        ),
        (
            "NXDOMAIN",
            ";AUTHORITY\nexample.com. 900 IN SOA . . 1 2 3 4 60\n",
            Answer(Outcome.NO_NAME, soa_ttl=900.0, soa_minimum=60.0),
        ),
        ("NOERROR", "", Answer(Outcome.NO_DATA)),
        ("SERVFAIL", "", Answer(Outcome.FAILURE)),
        ("REFUSED", "", Answer(Outcome.FAILURE)),
    ],
)
def test_a_message_is_read_as_a_value(rcode, sections, answer):
    message = dns.message.from_text(HEAD.format(rcode) + sections)
    assert read(message, dns.rdatatype.A) == answer


async def test_a_port_that_nobody_listens_at_is_no_answer(world):
    heard = await ask("api.example.com", "A", (world.network.dns, 1))
    assert not heard.outcome.is_answer


async def test_the_server_answers(world):
    world.names.addresses = ["127.80.10.1"]
    try:
        heard = await ask("api.example.com", "A", (world.network.dns, world.network.dns_port))
    finally:
        world.names.addresses = []
    assert heard == Answer(Outcome.ADDRESSES, ("127.80.10.1",), 60.0)
