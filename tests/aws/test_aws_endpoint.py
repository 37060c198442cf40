from __future__ import annotations

import asyncio
import logging
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from testbed import journal
from testbed.aws.aws_endpoint import AwsEndpoint
from testbed.aws.certificate_store import CertificateStore
from testbed.aws.change_feed import ChangeFeed
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.network import AWS_PORT, MOTO_PORT, Network, lease
from testbed.runtime.loop_thread import LoopThread
from testbed.settings import PATIENCE
from tests.aws.conftest import Account

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=testing/20261123/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
)
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


def endpoint(network: Network, upstream: str, folder: Path, run_journal: journal.Journal) -> AwsEndpoint:
    return AwsEndpoint(
        network.control,
        AWS_PORT,
        upstream,
        changes=ChangeFeed(),
        certificates=CertificateStore(folder / "tls"),
        run_journal=run_journal,
        clock=Clock(600.0),
    )


@pytest.fixture
def without_backend(servers: LoopThread, tmp_path: Path) -> Iterator[str]:
    with lease() as network, journal.Journal(tmp_path / "journal.ndjson") as run_journal:
        made = endpoint(network, f"http://{network.address(0, 9)}:9", tmp_path, run_journal)
        servers.run(made.start())
        yield network.aws_endpoint
        servers.run(made.stop())


@pytest.mark.parametrize("service", ["route53", "elasticloadbalancing", "acm"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"<",
        b"{",
        b"Action=",
        b"Action=CreateRule",
        b"Action=ModifyTargetGroup",
        b"[]",
        b"null",
    ],
)
@pytest.mark.parametrize("path", ["/", "/2013-04-01/hostedzone/Z1/rrset/", "/2013-04-01/change/"])
def test_a_malformed_request_is_answered_by_a_status_and_no_traceback(
    account: Account, caplog: pytest.LogCaptureFixture, service: str, body: bytes, path: str
) -> None:
    headers = {
        "Authorization": SIGNED.format(service),
        "X-Amz-Target": "CertificateManager.ImportCertificate",
    }
    if service != "acm":
        del headers["X-Amz-Target"]
    with caplog.at_level(logging.ERROR):
        answer = httpx.post(account.url + path, content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert not caplog.records


def test_a_request_that_is_not_signed_names_no_service(account: Account) -> None:
    answer = httpx.get(account.url)
    assert (answer.status_code, "MissingAuthenticationToken" in answer.text) == (403, True)


def test_bytes_that_are_no_http_are_refused_and_the_next_client_is_served(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    address = account.url.removeprefix("http://").partition(":")[0]
    with caplog.at_level(logging.ERROR), socket.create_connection((address, AWS_PORT)) as connection:
        connection.sendall(b"\x16\x03\x01\x00\xff no http\r\n\r\n")
        connection.settimeout(PATIENCE.api_call)
        assert b" 400 " in connection.recv(1000)
    assert not caplog.records
    account.clients.route53.list_hosted_zones()


def test_a_client_that_goes_in_the_middle_of_its_call_leaves_no_traceback(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    address = account.url.removeprefix("http://").partition(":")[0]
    with caplog.at_level(logging.ERROR):
        with socket.create_connection((address, AWS_PORT)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            connection.sendall(b"POST / HTTP/1.1\r\nHost: aws\r\nContent-Length: 100\r\n\r\nAction=")
        account.clients.route53.list_hosted_zones()
    assert not caplog.records


def test_a_client_that_hangs_up_does_not_undo_its_call(servers: LoopThread, tmp_path: Path) -> None:
    asked, hung_up = threading.Event(), threading.Event()

    async def answer_late(_: web.Request) -> web.Response:
        asked.set()
        await asyncio.to_thread(hung_up.wait, PATIENCE.api_call)
        return web.Response(text="<CreateVpcResponse/>")

    async def serve() -> web.AppRunner:
        application = web.Application()
        application.router.add_route("*", "/", answer_late)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, network.control, MOTO_PORT).start()
        return runner

    with lease() as network, journal.Journal(tmp_path / "journal.ndjson") as run_journal:
        backend = servers.run(serve())
        made = endpoint(network, f"http://{network.control}:{MOTO_PORT}", tmp_path, run_journal)
        servers.run(made.start())
        with socket.create_connection((network.control, AWS_PORT)) as connection:
            head = f"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: {SIGNED.format('ec2')}\r\n"
            connection.sendall((head + "Content-Length: 16\r\n\r\nAction=CreateVpc").encode())
            assert asked.wait(PATIENCE.api_call)
        hung_up.set()
        servers.run(made.stop())  # which waits for the calls that are under way
        servers.run(backend.cleanup())
    [call] = journal.read(tmp_path / "journal.ndjson")
    assert isinstance(call, journal.ApiCall)
    assert (call.operation, call.status) == ("CreateVpc", 200)


@pytest.mark.parametrize("service", ["route53", "elasticloadbalancing"])
def test_a_backend_that_is_down_is_service_unavailable(without_backend: str, service: str) -> None:
    path = "/2013-04-01/hostedzone" if service == "route53" else "/?Action=DescribeLoadBalancers"
    answer = httpx.get(without_backend + path, headers={"Authorization": SIGNED.format(service)})
    assert answer.status_code == 503
    assert "<Code>ServiceUnavailable</Code>" in answer.text
    assert "does not answer" in answer.text


def test_a_backend_that_is_down_is_reported_in_json_to_clients_of_acm(without_backend: str) -> None:
    headers = {"Authorization": SIGNED.format("acm"), "X-Amz-Target": "CertificateManager.ListCertificates"}
    answer = httpx.post(without_backend, headers=headers, content=b"{}")
    assert (answer.status_code, answer.json()["__type"]) == (503, "ServiceUnavailable")


def test_a_taken_port_is_one_line(
    account: Account, network: Network, tmp_path: Path, servers: LoopThread
) -> None:
    with journal.Journal(tmp_path / "journal.ndjson") as run_journal:
        second = endpoint(network, "http://127.0.0.1:9", tmp_path, run_journal)
        with pytest.raises(
            Missing, match=r"127\.\d+\.0\.1:4566 \(AWS endpoint\) is taken; stop what listens"
        ):
            servers.run(second.start())


def test_what_it_is_not_asked_about_passes_through(account: Account) -> None:
    assert account.clients.ec2.describe_vpcs()["Vpcs"]
