"""One health check of one target, as AWS makes it: TCP, HTTP, HTTPS or gRPC.

The timeout is wall time: a target answers as fast as this machine lets it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any, Protocol

from testbed.load_balancers.elbv2_state import HealthCheck, TargetGroup, has_proxy_protocol
from testbed.load_balancers.endpoints import Address
from testbed.load_balancers.target_health import PASSED, Reason, Result, is_expected

USER_AGENT = "ELB-HealthChecker/2.0"
RECONNECT_MILLISECONDS = 100
EMPTY_MESSAGE = b""
PROXY_LOCAL = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
"""Proxy protocol version 2, command LOCAL: the balancer speaks for itself [proxy-protocol.txt, 2.2]."""
NO_GRPC = "Received http2 header with status"
"""How gRPC core says that an answer had no grpc-status of its own: a code made up from an HTTP status."""
NOT_CONNECTED = "failed to connect"
"""How gRPC core says that nobody answered at all."""


class Checker(Protocol):
    """Checks one target again and again."""

    async def check(self, address: Address) -> Result:
        """One check."""

    async def close(self) -> None:
        """Let go of what is held between checks."""


def checker(group: TargetGroup) -> Checker:
    """The checker for a group's health check settings."""
    if group.version == "GRPC" and group.check.protocol != "TCP":
        return GrpcChecker(group.check)
    preface = PROXY_LOCAL if has_proxy_protocol(group) else b""
    if group.check.protocol in {"HTTP", "HTTPS"}:
        return HttpChecker(group.check, preface)
    return TcpChecker(group.check, preface)


class TcpChecker:
    """Passes when the port takes a connection."""

    def __init__(self, check: HealthCheck, preface: bytes = b"") -> None:
        self._check = check
        self._preface = preface

    async def check(self, address: Address) -> Result:
        """Connect and close."""
        return await _in_time(self._check, self._connect(address))

    async def close(self) -> None:
        """Nothing is held."""

    async def _connect(self, address: Address) -> Result:
        _, writer = await asyncio.open_connection(*address)
        writer.write(self._preface)
        await _closed(writer)
        return PASSED


class HttpChecker:
    """GET of the path; passes with one of the codes. The connection ends after each check [ALB guide]."""

    def __init__(self, check: HealthCheck, preface: bytes = b"") -> None:
        self._check = check
        self._preface = preface
        self._tls = _trusting() if check.protocol == "HTTPS" else None

    async def check(self, address: Address) -> Result:
        """One GET."""
        return await _in_time(self._check, self._get(address))

    async def close(self) -> None:
        """Nothing is held."""

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
            return Result(Reason.FAILED)
        code = int(line[1])
        return PASSED if is_expected(self._check.matcher, code) else Result(Reason.MISMATCH, str(code))


class GrpcChecker:
    """Calls the path as a unary method; passes when grpc-status is one of the codes, 12 by default.

    A code that gRPC core derives from an HTTP status, such as 12 from a 404, does not count: an ALB reads
    grpc-status itself.
    """

    def __init__(self, check: HealthCheck) -> None:
        self._check = check
        self._channels: dict[Address, Any] = {}

    async def check(self, address: Address) -> Result:
        """One call."""
        import grpc  # slow to import; runs without GRPC groups do without
        from grpc import aio

        call = self._channel(address).unary_unary(self._check.path)
        try:
            await call(EMPTY_MESSAGE, timeout=self._check.timeout, metadata=(("user-agent", USER_AGENT),))
        except aio.AioRpcError as error:
            status, details = error.code(), error.details() or ""
        else:
            status, details = grpc.StatusCode.OK, ""
        code = int(status.value[0])
        if NO_GRPC in details:
            return Result(Reason.MISMATCH, details.rpartition(" ")[2])
        if is_expected(self._check.matcher, code):
            return PASSED
        if status is grpc.StatusCode.DEADLINE_EXCEEDED:
            return Result(Reason.TIMEOUT)
        if details.startswith(NOT_CONNECTED):
            return Result(Reason.FAILED)
        return Result(Reason.MISMATCH, str(code))

    async def close(self) -> None:
        """Close the channels."""
        for channel in self._channels.values():
            await channel.close(None)

    def _channel(self, address: Address) -> Any:
        from grpc import aio

        if address not in self._channels:
            options = [
                ("grpc.initial_reconnect_backoff_ms", RECONNECT_MILLISECONDS),
                ("grpc.min_reconnect_backoff_ms", RECONNECT_MILLISECONDS),
                ("grpc.max_reconnect_backoff_ms", RECONNECT_MILLISECONDS),
                ("grpc.enable_http_proxy", 0),
            ]
            self._channels[address] = aio.insecure_channel(f"{address[0]}:{address[1]}", options=options)
        return self._channels[address]


async def _in_time(check: HealthCheck, attempt: Any) -> Result:
    try:
        async with asyncio.timeout(check.timeout):
            result: Result = await attempt
            return result
    except TimeoutError:
        return Result(Reason.TIMEOUT)
    except OSError:  # refused, reset, no TLS: every way in which a connection fails
        return Result(Reason.FAILED)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):  # the target may have closed first
        await writer.wait_closed()


def _trusting() -> ssl.SSLContext:
    """The certificate of a target is never verified [ALB guide]."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
