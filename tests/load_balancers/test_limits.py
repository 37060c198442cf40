"""Limits and times of an ALB's connections, on the wire."""

from __future__ import annotations

import http.client
import http.server
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from testbed.load_balancers.envoy_listeners import MAX_REQUESTS, MAX_STREAMS
from testbed.settings import PATIENCE
from tests.load_balancers.targets import HeldTarget, serving

PORT = 8050
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
"""The client's beginning of an HTTP/2 connection, with empty SETTINGS."""
SETTINGS, GOAWAY = 4, 7
MAX_CONCURRENT_STREAMS = 3
KEEP_ALIVE, IDLE = 90, 60


@pytest.fixture(scope="module")
def limited(cloud: Any) -> Iterator[tuple[str, HeldTarget]]:
    """An ALB with short times, and its target: `/slow` is forwarded, all else is a fixed response."""
    with serving((cloud.network.envoy_pod(95), 8080)) as (target,):
        balancer = cloud.balancer("limited")
        times = {"client_keep_alive.seconds": KEEP_ALIVE, "idle_timeout.timeout_seconds": IDLE}
        cloud.elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Attributes=[{"Key": key, "Value": str(value)} for key, value in times.items()],
        )
        group = cloud.group("limited", "HTTP1", target.address)
        listener = cloud.listener(
            balancer, "HTTPS", PORT, cloud.fixed(200), cloud.certificate("api.example.com")
        )
        cloud.rule(listener, 1, cloud.forward(group), "/slow", "/quick")
        cloud.feed.bump()
        cloud.eventually(lambda: cloud.fleet.addresses(balancer["DNSName"]))
        address = cloud.fleet.addresses(balancer["DNSName"])[0]
        cloud.eventually(lambda: get(address, "/quick").status_code == 200 and target.answered)
        yield address, target


def get(address: str, path: str) -> httpx.Response:
    url = f"https://{address}:{PORT}{path}"
    return httpx.get(url, verify=False, trust_env=False, timeout=PATIENCE.condition)


def test_an_http2_connection_has_128_streams_and_ends_with_goaway_at_the_keep_alive_age(
    limited: tuple[str, HeldTarget],
) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((limited[0], PORT), PATIENCE.condition) as plain,
        context.wrap_socket(plain) as connection,
    ):
        connection.sendall(PREFACE)
        frames = dict(read_frames(connection, until=GOAWAY))
    settings = frames[SETTINGS]
    pairs = [settings[start : start + 6] for start in range(0, len(settings), 6)]
    values = {int.from_bytes(pair[:2]): int.from_bytes(pair[2:]) for pair in pairs}
    assert values[MAX_CONCURRENT_STREAMS] == MAX_STREAMS == 128
    assert int.from_bytes(frames[GOAWAY][4:8]) == 0  # NO_ERROR


def read_frames(connection: ssl.SSLSocket, until: int) -> Iterator[tuple[int, bytes]]:
    """The type and content of each frame that says something, the awaited one last."""
    with connection.makefile("rb") as stream:
        while head := stream.read(9):
            content = stream.read(int.from_bytes(head[:3]))
            if content:
                yield head[3], content
            if head[3] == until:
                return


def test_a_target_that_is_silent_for_the_idle_timeout_is_504(limited: tuple[str, HeldTarget]) -> None:
    address, target = limited
    answer = get(address, "/slow")
    assert (answer.status_code, answer.headers["server"]) == (504, "awselb/2.0")
    assert "504 Gateway Time-out" in answer.text
    target.released.set()


@pytest.mark.skipif(shutil.which("h2load") is None, reason="h2load is not installed")
def test_an_http2_connection_ends_after_10_000_requests(cloud: Any, story: Any) -> None:
    address = cloud.fleet.addresses(story.alb["DNSName"])[0]
    url = f"https://{address}:{cloud.network.port(443)}/nobody"
    more = MAX_REQUESTS + 2 * MAX_STREAMS
    command = ["h2load", "-n", str(more), "-c", "1", "-m", "100", url]
    said = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE.condition * 2
    ).stdout
    counts = re.search(r"requests: (\d+) total, \d+ started, (\d+) done", said)
    assert counts, said
    done = int(counts[2])
    assert MAX_REQUESTS <= done < more, said


class Wide(http.server.BaseHTTPRequestHandler):
    """Answers with the header that the path asks for: `/NUMBER/BYTES` headers of so many bytes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        number, size = (int(part) for part in self.path.split("/")[1:3])
        self.send_response(200)
        for index in range(number):
            self.send_header(f"x-{index}", "v" * size)
        self.send_header("content-length", "0")
        self.send_header("x-headers", str(len(self.headers)))
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def wide(cloud: Any) -> Iterator[str]:
    """The URL of an ALB in front of a target that answers with large headers."""
    where = (cloud.network.envoy_pod(96), 8080)
    server = http.server.ThreadingHTTPServer(where, Wide)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": PATIENCE.poll})
    thread.start()
    balancer = cloud.balancer("wide")
    cloud.listener(balancer, "HTTP", 8051, cloud.forward(cloud.group("wide", "HTTP1", where)))
    cloud.feed.bump()
    cloud.eventually(lambda: cloud.fleet.addresses(balancer["DNSName"]))
    url = f"http://{cloud.fleet.addresses(balancer['DNSName'])[0]}:{cloud.network.port(8051)}"
    cloud.eventually(lambda: httpx.get(f"{url}/1/1", trust_env=False).status_code == 200)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(http.client, "_MAXHEADERS", 1_000)  # of the target, which refuses the 101st
        yield url
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(("path", "status"), [("/150/10", 200), ("/3/10000", 200), ("/4/10000", 502)])
def test_response_headers_are_limited_by_their_size_and_not_by_their_number(
    wide: str, path: str, status: int
) -> None:
    assert httpx.get(f"{wide}{path}", trust_env=False, timeout=PATIENCE.request).status_code == status


def test_many_request_headers_pass_and_too_large_ones_are_refused(wide: str) -> None:
    def asked(number: int, size: int) -> httpx.Response:
        headers = {f"x-{index}": "v" * size for index in range(number)}
        return httpx.get(f"{wide}/0/0", headers=headers, trust_env=False, timeout=PATIENCE.request)

    assert int(asked(150, 10).headers["x-headers"]) > 150
    assert asked(7, 10_000).status_code == 400


def test_http_1_0_is_served_without_a_host(wide: str) -> None:
    host, _, port = wide.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), PATIENCE.request) as connection:
        connection.sendall(b"GET /0/0 HTTP/1.0\r\n\r\n")
        assert b" 200 " in connection.makefile("rb").readline()
