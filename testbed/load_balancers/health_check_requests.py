"""Makes one health check of one target as AWS does: TCP, HTTP, HTTPS or gRPC.

The timeout is wall time, because a target answers as fast as this machine allows.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any, Protocol

from testbed.load_balancers.elbv2_state import HealthCheck, TargetGroup, has_proxy_protocol
from testbed.load_balancers.eligible_targets import Address
from testbed.load_balancers.target_health_state import PASSED, HealthReason, Result, is_expected

USER_AGENT = "ELB-HealthChecker/2.0"
READ_SIZE = 65_536
EMPTY_MESSAGE = bytes(5)
"""An empty request: not compressed, length 0 [gRPC over HTTP/2, "Length-Prefixed-Message"]."""
PROXY_LOCAL = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
"""Proxy protocol version 2, command LOCAL: the connection is the balancer's own [proxy-protocol.txt, 2.2]."""


class Checker(Protocol):
    """Checks a target, as often as `check` is called."""

    async def check(self, address: Address) -> Result:
        """Check the target once at an address."""


def checker(group: TargetGroup) -> Checker:
    """Return the checker for the health check settings of a group."""
    if group.version == "GRPC" and group.check.protocol != "TCP":
        return GrpcChecker(group.check)
    preface = PROXY_LOCAL if has_proxy_protocol(group) else b""
    if group.check.protocol in {"HTTP", "HTTPS"}:
        return HttpChecker(group.check, preface)
    return TcpChecker(group.check, preface)


def result_of(check: HealthCheck, code: int) -> Result:
    """Return the result of a check that was answered with an HTTP or gRPC code."""
    return PASSED if is_expected(check.matcher, code) else Result(HealthReason.MISMATCH, str(code))


class TcpChecker:
    """Passes if the port accepts a connection."""

    def __init__(self, check: HealthCheck, preface: bytes = b"") -> None:
        self._check = check
        self._preface = preface

    async def check(self, address: Address) -> Result:
        """Connect and close."""
        return await _in_time(self._check, self._connect(address))

    async def _connect(self, address: Address) -> Result:
        _, writer = await asyncio.open_connection(*address)
        writer.write(self._preface)
        await _closed(writer)
        return PASSED


class HttpChecker:
    """Sends GET to the path; passes with one of the codes. Each check has its own connection [ALB guide]."""

    def __init__(self, check: HealthCheck, preface: bytes = b"") -> None:
        self._check = check
        self._preface = preface
        self._tls = _trusting() if check.protocol == "HTTPS" else None

    async def check(self, address: Address) -> Result:
        """Send one GET."""
        return await _in_time(self._check, self._get(address))

    async def _get(self, address: Address) -> Result:
        reader, writer = await asyncio.open_connection(*address)
        try:
            writer.write(self._preface)
            if self._tls:
                await writer.start_tls(self._tls)
            writer.write(
                f"GET {self._check.path} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n"
                f"User-Agent: {USER_AGENT}\r\nConnection: close\r\n\r\n".encode()
            )
            line = (await reader.readline()).split()
        finally:
            await _closed(writer)
        if len(line) < 2 or not line[1].isdigit():
            return Result(HealthReason.FAILED)
        return result_of(self._check, int(line[1]))


class GrpcChecker:
    """Calls the path as a unary method; passes if grpc-status is one of the codes, 12 by default.

    An answer without grpc-status fails whatever its HTTP status, because an ALB reads grpc-status itself.
    """

    def __init__(self, check: HealthCheck) -> None:
        self._check = check
        self._tls = _trusting("h2") if check.protocol == "HTTPS" else None

    async def check(self, address: Address) -> Result:
        """Make one call."""
        return await _in_time(self._check, self._call(address))

    async def _call(self, address: Address) -> Result:
        reader, writer = await asyncio.open_connection(*address)
        try:
            if self._tls:
                await writer.start_tls(self._tls)
            answer = await _unary(reader, writer, f"{address[0]}:{address[1]}", self._check)
        finally:
            await _closed(writer)
        status = answer.get("grpc-status")
        if status is None:
            return Result(HealthReason.MISMATCH, answer[":status"]) if answer else Result(HealthReason.FAILED)
        return result_of(self._check, int(status)) if status.isdigit() else Result(HealthReason.FAILED)


async def _unary(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, authority: str, check: HealthCheck
) -> dict[str, str]:
    """Return headers and trailers of the answer to a unary call; {} if the target does not speak HTTP/2."""
    from h2.config import H2Configuration  # slow to import, and only GRPC groups need it
    from h2.connection import H2Connection
    from h2.events import DataReceived, ResponseReceived, StreamEnded, TrailersReceived
    from h2.exceptions import ProtocolError

    # Headers as bytes: h2 would raise for a header that is no UTF-8.
    connection = H2Connection(H2Configuration(header_encoding=None))
    pseudo = {
        ":method": "POST",
        ":scheme": check.protocol.lower(),
        ":path": check.path,
        ":authority": authority,
    }
    head = pseudo | {"content-type": "application/grpc", "te": "trailers", "user-agent": USER_AGENT}
    answer: dict[str, str] = {}
    try:
        connection.initiate_connection()
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, head.items())
        connection.send_data(stream, EMPTY_MESSAGE, end_stream=True)
        while True:
            writer.write(connection.data_to_send())
            data = await reader.read(READ_SIZE)
            if not data:
                return answer
            for event in connection.receive_data(data):
                if isinstance(event, ResponseReceived | TrailersReceived):
                    answer |= {_text(name): _text(value) for name, value in event.headers}
                elif isinstance(event, DataReceived):
                    connection.acknowledge_received_data(event.flow_controlled_length, stream)
                elif isinstance(event, StreamEnded):
                    return answer
    except ProtocolError:
        return {}


def _text(header: bytes | str) -> str:
    return header.decode("latin-1") if isinstance(header, bytes) else header


async def _in_time(check: HealthCheck, attempt: Any) -> Result:
    try:
        async with asyncio.timeout(check.timeout):
            result: Result = await attempt
            return result
    except TimeoutError:
        return Result(HealthReason.TIMEOUT)
    except OSError:  # refused, reset, no TLS: whatever way the connection fails
        return Result(HealthReason.FAILED)


async def _closed(writer: asyncio.StreamWriter) -> None:
    if writer.get_extra_info("ssl_object"):
        # Not close(): it waits for the peer's close_notify, which gRPC's servers never send.
        writer.transport.abort()
        return
    writer.close()
    with contextlib.suppress(OSError):  # the target may have closed first
        await writer.wait_closed()


def _trusting(*alpn: str) -> ssl.SSLContext:
    """The certificate of a target is never verified [ALB guide]."""
    context = ssl.create_default_context()
    if alpn:
        context.set_alpn_protocols(list(alpn))
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
