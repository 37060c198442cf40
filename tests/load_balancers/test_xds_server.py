from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.route.v3 import route_pb2
from envoy.service.discovery.v3 import discovery_pb2
from grpc import aio

from testbed.errors import Missing
from testbed.load_balancers.envoy_resources import Resources
from testbed.load_balancers.xds_server import CLUSTER, ENDPOINT, METHOD, ROUTE, SERVICE, AdsServer
from testbed.network import XDS_PORT, Network


def resources(*clusters: str, route: str = "") -> Resources:
    made = Resources()
    for name in clusters:
        made.clusters[name] = cluster_pb2.Cluster(name=name)
        made.endpoints[name] = endpoint_pb2.ClusterLoadAssignment(cluster_name=name)
    if route:
        made.routes["table"] = route_pb2.RouteConfiguration(
            name="table", virtual_hosts=[{"name": route, "domains": ["*"]}]
        )
    return made


class Envoy:
    """An ADS stream that the test holds: it subscribes, acknowledges and refuses by hand."""

    def __init__(self, channel: aio.Channel, node: str) -> None:
        self._node = node
        self._stream: Any = channel.stream_stream(
            f"/{SERVICE}/{METHOD}",
            request_serializer=discovery_pb2.DiscoveryRequest.SerializeToString,
            response_deserializer=discovery_pb2.DiscoveryResponse.FromString,
        )()

    async def ask(self, kind: str, *names: str, nonce: str = "", error: str = "") -> None:
        detail = {"error_detail": {"code": 3, "message": error}} if error else {}
        await self._stream.write(
            discovery_pb2.DiscoveryRequest(
                node={"id": self._node}, type_url=kind, resource_names=names, response_nonce=nonce, **detail
            )
        )

    async def receive(self) -> Any:
        async with asyncio.timeout(5):
            return await self._stream.read()

    async def code(self) -> grpc.StatusCode:
        async with asyncio.timeout(5):
            return await self._stream.code()


Refusals = asyncio.Queue[tuple[str, str, str]]


@pytest.fixture
async def refusals() -> Refusals:
    return asyncio.Queue()


@pytest.fixture
async def server(network: Network, refusals: Refusals) -> AsyncIterator[AdsServer]:
    async with AdsServer(
        network.control, XDS_PORT, ["alb"], lambda *refusal: refusals.put_nowait(refusal)
    ) as running:
        yield running


@pytest.fixture
async def channel(network: Network) -> AsyncIterator[aio.Channel]:
    options = [("grpc.enable_http_proxy", 0)]
    async with aio.insecure_channel(f"{network.control}:{XDS_PORT}", options) as made:
        yield made


def names(response: Any, kind: type[Any]) -> list[str]:
    found = []
    for item in response.resources:
        message = kind()
        assert item.Unpack(message)
        found.append(message.name if hasattr(message, "name") else message.cluster_name)
    return sorted(found)


async def test_an_unknown_node_is_turned_away(server: AdsServer, channel: aio.Channel) -> None:
    envoy = Envoy(channel, "nlb")
    await envoy.ask(CLUSTER)
    assert await envoy.code() is grpc.StatusCode.NOT_FOUND


async def test_a_stream_gets_what_was_published_before_it(server: AdsServer, channel: aio.Channel) -> None:
    node = server.nodes["alb"]
    await node.publish(resources("a", "b"))
    assert not node.is_connected
    envoy = Envoy(channel, "alb")
    await envoy.ask(CLUSTER)
    assert names(await envoy.receive(), cluster_pb2.Cluster) == ["a", "b"]
    assert node.is_connected


async def test_only_the_endpoints_that_envoy_subscribes_to_are_sent(
    server: AdsServer, channel: aio.Channel
) -> None:
    await server.nodes["alb"].publish(resources("a", "b"))
    envoy = Envoy(channel, "alb")
    await envoy.ask(ENDPOINT, "b")
    assert names(await envoy.receive(), endpoint_pb2.ClusterLoadAssignment) == ["b"]


async def test_a_route_is_sent_after_its_cluster_and_the_old_cluster_goes_last(
    server: AdsServer, channel: aio.Channel
) -> None:
    node = server.nodes["alb"]
    await node.publish(resources("old", route="to-old"))
    envoy = Envoy(channel, "alb")
    kinds = {CLUSTER: (), ENDPOINT: ("old",), ROUTE: ("table",)}
    for kind, subscribed in kinds.items():
        await envoy.ask(kind, *subscribed)
        response = await envoy.receive()
        await envoy.ask(kind, *subscribed, nonce=response.nonce)

    publishing = asyncio.create_task(node.publish(resources("new", route="to-new")))
    order: list[tuple[str, Any]] = []
    while not publishing.done():
        try:
            async with asyncio.timeout(0.5):
                response = await envoy.receive()
        except TimeoutError:
            break
        kind = response.type_url
        if kind == CLUSTER:
            order.append(("clusters", names(response, cluster_pb2.Cluster)))
            await envoy.ask(kind, nonce=response.nonce)
            # Envoy asks for the endpoints of all clusters that it now has.
            await envoy.ask(ENDPOINT, *order[-1][1])
        elif kind == ENDPOINT:
            await envoy.ask(kind, *names(response, endpoint_pb2.ClusterLoadAssignment), nonce=response.nonce)
        else:
            order.append(("routes", names(response, route_pb2.RouteConfiguration)))
            await envoy.ask(kind, "table", nonce=response.nonce)
    publishing.cancel()
    assert order == [("clusters", ["new", "old"]), ("routes", ["table"]), ("clusters", ["new"])]


async def test_a_refusal_is_recorded_with_the_reason_of_envoy(
    server: AdsServer, channel: aio.Channel, refusals: Refusals
) -> None:
    node = server.nodes["alb"]
    await node.publish(resources("a"))
    envoy = Envoy(channel, "alb")
    await envoy.ask(CLUSTER)
    response = await envoy.receive()
    await envoy.ask(CLUSTER, nonce=response.nonce, error="no such\n  extension")
    async with asyncio.timeout(5):
        assert await refusals.get() == ("alb", "Cluster", "no such extension")
    assert node.refusals == ["Cluster: no such extension"]


async def test_a_taken_port_is_one_line(server: AdsServer, network: Network) -> None:
    with pytest.raises(Missing, match=rf"^{network.control}:{XDS_PORT} is taken; stop what listens there$"):
        async with AdsServer(network.control, XDS_PORT, ["alb"], lambda *_: None):
            pass
