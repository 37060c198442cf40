"""Health checks of targets that really answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
import trustme
from aiohttp import web

from testbed.load_balancers.elbv2_state import HealthCheck, TargetGroup
from testbed.load_balancers.health_check_requests import checker
from testbed.load_balancers.target_health_state import PASSED, HealthReason, Result
from testbed.settings import PATIENCE


class Status(grpc.GenericRpcHandler):
    """Answers every method with one status."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def service(self, _: grpc.HandlerCallDetails) -> Any:
        def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
            context.set_code(self._code)
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


@contextlib.contextmanager
def grpc_target(code: grpc.StatusCode, *, tls: bool = False) -> Iterator[int]:
    """The port of a server that gives every call this status, its certificate from nobody we know."""
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers([Status(code)])
    if tls:
        leaf = trustme.CA().issue_cert("target.example.com")
        pair = leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes()
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


async def checked(port: int, matcher: str = "12", protocol: str = "HTTP") -> Result:
    patience = PATIENCE.condition
    check = HealthCheck(protocol, "traffic-port", "/AWS.ALB/healthcheck", matcher, 30, patience, 5, 2)
    group = TargetGroup("arn:targetgroup/grpc/1", protocol, "GRPC", "ip", check)
    return await checker(group).check(("127.0.0.1", port))


@pytest.mark.parametrize("protocol", ["HTTP", "HTTPS"])
async def test_the_code_of_a_grpc_answer_decides(protocol: str) -> None:
    tls = protocol == "HTTPS"
    with grpc_target(grpc.StatusCode.UNIMPLEMENTED, tls=tls) as port:
        assert await checked(port, "12", protocol) == PASSED
        assert await checked(port, "0-5", protocol) == Result(HealthReason.MISMATCH, "12")
    with grpc_target(grpc.StatusCode.OK, tls=tls) as port:
        assert await checked(port, "0", protocol) == PASSED


async def test_a_target_that_expects_tls_fails_a_plain_check_and_the_other_way_round() -> None:
    with grpc_target(grpc.StatusCode.OK, tls=True) as port:
        assert await checked(port, "0", "HTTP") == Result(HealthReason.FAILED)
    with grpc_target(grpc.StatusCode.OK) as port:
        assert await checked(port, "0", "HTTPS") == Result(HealthReason.FAILED)


async def test_a_server_of_http1_fails_and_so_does_a_closed_port() -> None:
    runner = web.ServerRunner(web.Server(lambda _: asyncio.sleep(0, web.Response())))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    assert await checked(port) == Result(HealthReason.FAILED)
    await runner.cleanup()
    assert await checked(port) == Result(HealthReason.FAILED)
