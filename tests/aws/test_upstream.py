from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from testbed.aws.api_calls import Call, internal
from testbed.aws.upstream import Unavailable, Upstream, members
from testbed.network import Network

PORT = 4599
"""Not the port of the moto that other tests of this folder start on the same network."""
LISTENERS = """<DescribeListenersResponse><DescribeListenersResult><Listeners>
  <member><ListenerArn>a</ListenerArn></member>
</Listeners></DescribeListenersResult></DescribeListenersResponse>"""


def call(body: bytes = b"Action=DescribeListeners&Version=2015-12-01", **headers: str) -> Call:
    return Call("elbv2", "DescribeListeners", "", "", "POST", "/?a=1", headers, body)


class Slow:
    """The slow calls at the backend: they have arrived, and are answered once they are let go."""

    def __init__(self) -> None:
        self.arrived, self.let_go = asyncio.Event(), asyncio.Event()


@pytest.fixture
async def slow() -> Slow:
    return Slow()


@pytest.fixture
async def seen(network: Network, slow: Slow) -> AsyncIterator[list[tuple[str, Mapping[str, str], bytes]]]:
    """A backend; returns the requests that it saw: method and path, headers, body."""
    requests: list[tuple[str, Mapping[str, str], bytes]] = []

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        requests.append((f"{request.method} {request.path_qs}", request.headers, body))
        if b"Slowly" in body:
            slow.arrived.set()
            await slow.let_go.wait()
        if b"Refused" in body:
            return web.Response(status=400, body=b"<ErrorResponse/>")
        return web.Response(body=LISTENERS.encode(), content_type="text/xml")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, network.control, PORT).start()
    yield requests
    await runner.cleanup()


@pytest.fixture
async def upstream(network: Network) -> AsyncIterator[Upstream]:
    made = Upstream(f"http://{network.control}:{PORT}")
    yield made
    await made.close()


def bodies(seen: list[tuple[str, Mapping[str, str], bytes]]) -> list[bytes]:
    return [body for _, _, body in seen]


def change(body: bytes = b"Action=DeleteListener") -> Call:
    return Call("elbv2", "DeleteListener", "", "", "POST", "/", {}, body)


async def test_a_read_of_elbv2_is_sent_again_only_after_a_change(
    upstream: Upstream, seen: list[tuple[str, Mapping[str, str], bytes]]
) -> None:
    first = [await upstream.forward(call()) for _ in range(3)]
    await upstream.forward(change())
    assert await upstream.forward(call()) == first[0] == first[1] == first[2]
    assert bodies(seen) == [call().body, change().body, call().body]


async def test_a_change_by_a_query_of_another_service_is_a_change_too(
    upstream: Upstream, seen: list[tuple[str, Mapping[str, str], bytes]]
) -> None:
    await upstream.forward(call())
    await upstream.raw_query(internal("ec2"), "TerminateInstances", {})
    await upstream.forward(call())
    assert len(seen) == 3


async def test_a_read_for_another_region_or_of_other_things_is_another_read(
    upstream: Upstream, seen: list[tuple[str, Mapping[str, str], bytes]]
) -> None:
    scope = "AWS4-HMAC-SHA256 Credential=me/20200101/{}/elasticloadbalancing/aws4_request"
    for region in ("eu-west-1", "eu-central-1"):
        await upstream.forward(call(Authorization=scope.format(region)))
    await upstream.forward(call(b"Action=DescribeRules"))
    assert len(seen) == 3


@pytest.mark.parametrize("service", ["acm", "ec2", "route53"])
async def test_reads_of_other_services_are_always_sent(
    service: str, upstream: Upstream, seen: list[tuple[str, Mapping[str, str], bytes]]
) -> None:
    for _ in range(2):
        await upstream.forward(replace(call(), service=service))
    assert len(seen) == 2


async def test_a_refused_read_is_not_kept(
    upstream: Upstream, seen: list[tuple[str, Mapping[str, str], bytes]]
) -> None:
    for _ in range(2):
        assert not (await upstream.forward(call(b"Action=Refused"))).is_ok
    assert len(seen) == 2


async def test_a_read_that_a_change_overtakes_is_not_kept(
    upstream: Upstream, seen: list[tuple[str, Mapping[str, str], bytes]], slow: Slow
) -> None:
    read = asyncio.ensure_future(upstream.forward(call(b"Action=DescribeSlowly")))
    await slow.arrived.wait()
    await upstream.forward(change())
    slow.let_go.set()
    await read
    await upstream.forward(call(b"Action=DescribeSlowly"))
    assert bodies(seen) == [b"Action=DescribeSlowly", change().body, b"Action=DescribeSlowly"]


async def test_nothing_is_kept_once_nobody_knows_whether_a_change_was_done(
    upstream: Upstream, seen: list[tuple[str, Mapping[str, str], bytes]], slow: Slow
) -> None:
    await upstream.forward(call())
    lost = asyncio.ensure_future(upstream.forward(change(b"Action=DeleteSlowly")))
    await slow.arrived.wait()
    lost.cancel()
    await asyncio.wait([lost])
    slow.let_go.set()
    for _ in range(2):
        await upstream.forward(call())
    assert len(seen) == 4


async def test_a_call_is_forwarded_with_its_headers_but_for_those_of_the_connection(
    upstream: Upstream, seen: list[tuple[str, Mapping[str, str], bytes]]
) -> None:
    headers = {"Authorization": "AWS4", "Connection": "close", "Accept-Encoding": "br", "Host": "aws"}
    answer = await upstream.forward(call(**headers))
    assert answer.is_ok
    (((request, received, body)),) = seen
    assert (request, body) == ("POST /?a=1", call().body)
    assert received["Authorization"] == "AWS4"
    assert received["Host"] != "aws"
    assert "br" not in received.get("Accept-Encoding", "")


async def test_a_body_may_replace_that_of_the_call(
    upstream: Upstream, seen: list[tuple[str, Mapping[str, str], bytes]]
) -> None:
    await upstream.forward(call(), b"other")
    assert seen[0][2] == b"other"


async def test_an_action_is_asked_in_the_version_of_the_call(
    upstream: Upstream, seen: list[tuple[str, Mapping[str, str], bytes]]
) -> None:
    result = await upstream.query(call(), "DescribeListeners", {"ListenerArns.member.1": "a"})
    assert members((result or {})["Listeners"]) == [{"ListenerArn": "a"}]
    assert parse_qs(seen[0][2].decode()) == {
        "Action": ["DescribeListeners"],
        "Version": ["2015-12-01"],
        "ListenerArns.member.1": ["a"],
    }


async def test_an_action_that_is_refused_has_no_result(
    upstream: Upstream, seen: list[tuple[str, Mapping[str, str], bytes]]
) -> None:
    assert await upstream.query(call(), "Refused", {}) is None


async def test_a_backend_that_is_down_is_unavailable(upstream: Upstream) -> None:
    with pytest.raises(Unavailable, match=rf"127\..*:{PORT} does not answer: "):
        await upstream.get(call(), "/2013-04-01/hostedzone/Z1")


def test_a_list_without_members_is_empty() -> None:
    assert members(None) == []
    assert members({}) == []
