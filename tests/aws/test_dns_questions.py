"""TestDNSAnswer asks the name server of the run; here one that answers every question with one address."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import dns.message
import dns.rrset
import pytest
from botocore.exceptions import ClientError

from testbed.aws import dns_questions
from testbed.network import Network
from tests.aws.conftest import Account


@pytest.fixture
def answering(network: Network) -> Iterator[None]:
    """A name server at the address of the run's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((network.dns, network.dns_port))

        def serve() -> None:
            while True:
                try:
                    data, client = server.recvfrom(512)
                    question = dns.message.from_wire(data)
                except (OSError, dns.exception.DNSException):
                    return
                answer = dns.message.make_response(question)
                answer.answer.append(
                    dns.rrset.from_text(question.question[0].name, 60, "IN", "A", "192.0.2.1")
                )
                server.sendto(answer.to_wire(), client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        server.sendto(b"", (network.dns, network.dns_port))
        thread.join()


@pytest.mark.usefixtures("answering")
def test_the_answer_of_the_name_server_is_returned(account: Account) -> None:
    zone = account.zone()
    found = account.clients.route53.test_dns_answer(
        HostedZoneId=zone, RecordName=f"a.{account.zone_name(zone)}", RecordType="A"
    )
    assert (found["RecordData"], found["ResponseCode"], found["Protocol"]) == (
        ["192.0.2.1"],
        "NOERROR",
        "UDP",
    )


def test_a_zone_that_is_not_there_is_refused(account: Account) -> None:
    with pytest.raises(ClientError, match="NoSuchHostedZone"):
        account.clients.route53.test_dns_answer(HostedZoneId="Z00", RecordName="a.test", RecordType="A")


async def test_without_a_name_server_nobody_answers() -> None:
    answer = await dns_questions.answer("a.test", "A", None)
    assert (answer.status, b"no name server" in answer.body) == (500, True)


async def test_a_question_that_dns_has_not_is_refused() -> None:
    answer = await dns_questions.answer("a..test", "A", ("127.0.0.1", 9))
    assert (answer.status, b"InvalidInput" in answer.body) == (400, True)
