"""Limits and times of an ALB's connections, on the wire."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from testbed.load_balancers.listeners import MAX_REQUESTS, MAX_STREAMS
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
