"""Aggregated discovery (xDS, state of the world) for the balancer Envoys, in an order that loses no request.

```
publish ──► clusters old+new ──► endpoints ──► secrets, listeners, routes ──► clusters new
            (each step waits until Envoy has taken the one before)
```

A cluster is there before a route names it and goes after the last route has let it go. What Envoy refuses
(NACK) is kept with its own reason in `Node.refusals`; it goes on with what it had.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf.message import Message
from grpc import aio

from testbed.errors import Missing
from testbed.load_balancers.proto import packed
from testbed.load_balancers.resources import Resources
from testbed.settings import PATIENCE

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
METHOD = "StreamAggregatedResources"
_PREFIX = "type.googleapis.com/envoy."
CLUSTER = f"{_PREFIX}config.cluster.v3.Cluster"
ENDPOINT = f"{_PREFIX}config.endpoint.v3.ClusterLoadAssignment"
LISTENER = f"{_PREFIX}config.listener.v3.Listener"
ROUTE = f"{_PREFIX}config.route.v3.RouteConfiguration"
SECRET = f"{_PREFIX}extensions.transport_sockets.tls.v3.Secret"
WHOLE = frozenset({CLUSTER, LISTENER})
"""Types of which an answer holds all there is: what is missing in it is removed."""

Named = Mapping[str, Message]
OnRefusal = Callable[[str, str, str], None]
"""Called with node, type and Envoy's own reason."""


@dataclass(slots=True)
class _Subscription:
    """One resource type on one stream."""

    names: frozenset[str] = frozenset()
    sent: dict[str, bytes] | None = None
    nonce: str = ""
    taken: bool = True
    refused: bool = False


@dataclass(slots=True)
class Node:
    """What one Envoy shall have, and how far it is."""

    name: str
    on_refusal: OnRefusal
    wanted: dict[str, Named] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    _stream: _Stream | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def publish(self, resources: Resources) -> None:
        """Bring Envoy to new resources; returns when it has taken or refused them, or is not connected."""
        async with self._lock:
            old = self.wanted.get(CLUSTER, {})
            clusters = {**old, **resources.clusters}
            await self._give(
                {CLUSTER: clusters, ENDPOINT: {**self.wanted.get(ENDPOINT, {}), **resources.endpoints}}
            )
            await self._give(
                {SECRET: resources.secrets, LISTENER: resources.listeners, ROUTE: resources.routes}
            )
            await self._give({CLUSTER: resources.clusters, ENDPOINT: resources.endpoints})

    async def _give(self, changes: Mapping[str, Named]) -> None:
        self.wanted |= changes
        if self._stream:
            await self._stream.settle()

    @property
    def is_connected(self) -> bool:
        """Whether its Envoy listens to us now."""
        return self._stream is not None

    def attach(self, stream: _Stream) -> None:
        """A stream of this node begins; it replaces one that broke."""
        self._stream = stream

    def detach(self, stream: _Stream) -> None:
        """A stream of this node ended."""
        if self._stream is stream:
            self._stream = None

    def refuse(self, kind: str, reason: str) -> None:
        """Keep Envoy's refusal."""
        self.refusals.append(f"{kind}: {reason}")
        self.on_refusal(self.name, kind, reason)


class _Stream:
    """One ADS stream: what Envoy asked for, what it was sent, what it took."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.answers: asyncio.Queue[discovery_pb2.DiscoveryResponse] = asyncio.Queue()
        self._subscriptions: dict[str, _Subscription] = {}
        self._count = 0
        self._moved = asyncio.Event()

    def heard(self, request: Any) -> None:
        """A request: a subscription, a change of one, an ACK or a NACK."""
        kind = request.type_url
        subscription = self._subscriptions.setdefault(kind, _Subscription())
        if request.response_nonce and request.response_nonce != subscription.nonce:
            return  # answers something older
        names = frozenset(request.resource_names)
        added = names - subscription.names
        subscription.names = names
        if request.response_nonce:
            subscription.taken = True
            subscription.refused = request.HasField("error_detail")
            if subscription.refused:
                self.node.refuse(kind.rpartition(".")[2], " ".join(request.error_detail.message.split()))
        if subscription.sent is None or (added and kind not in WHOLE):
            subscription.sent = None if kind in WHOLE else subscription.sent
            self._send(kind, subscription, force=True)
        self._send_changed()
        self._moved.set()

    async def settle(self) -> None:
        """Send what changed and wait until Envoy has answered all of it, or the patience is over."""
        self._send_changed()
        try:
            async with asyncio.timeout(PATIENCE.api_call):
                while not self._is_settled():
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            self.node.refuse("stream", f"no answer within {PATIENCE.api_call:g} s")

    def _is_settled(self) -> bool:
        if not all(subscription.taken for subscription in self._subscriptions.values()):
            return False
        clusters, endpoints = self._subscriptions.get(CLUSTER), self._subscriptions.get(ENDPOINT)
        if clusters and clusters.refused:
            return True
        asked = endpoints.names if endpoints else frozenset()
        # A cluster that Envoy has just learned of is warm only once it has asked for its endpoints.
        return self.node.wanted.get(CLUSTER, {}).keys() <= asked

    def _send_changed(self) -> None:
        order = (CLUSTER, ENDPOINT, SECRET, LISTENER, ROUTE)
        for kind in order:
            subscription = self._subscriptions.get(kind)
            if subscription and subscription.taken:
                self._send(kind, subscription)

    def _send(self, kind: str, subscription: _Subscription, *, force: bool = False) -> None:
        wanted = self.node.wanted.get(kind, {})
        chosen = (
            wanted if kind in WHOLE else {name: wanted[name] for name in subscription.names if name in wanted}
        )
        now = {name: message.SerializeToString(deterministic=True) for name, message in chosen.items()}
        if kind in WHOLE:
            if now == subscription.sent:
                return
        elif not force and all((subscription.sent or {}).get(name) == data for name, data in now.items()):
            return
        if not now and kind not in WHOLE:
            return  # nothing of what it asks for exists yet
        self._count += 1
        subscription.nonce = str(self._count)
        subscription.taken = False
        subscription.sent = now
        if kind == CLUSTER and (endpoints := self._subscriptions.get(ENDPOINT)):
            endpoints.sent = {}  # a changed cluster warms again and waits for its endpoints anew
        self.answers.put_nowait(
            discovery_pb2.DiscoveryResponse(
                version_info=subscription.nonce,
                nonce=subscription.nonce,
                type_url=kind,
                resources=[packed(message) for message in chosen.values()],
            )
        )


class AdsServer:
    """The discovery server. An async context manager that listens while its block runs.

    Raises:
        Missing: the port is taken.
    """

    def __init__(self, address: str, port: int, nodes: Iterable[str], on_refusal: OnRefusal) -> None:
        self.nodes = {name: Node(name, on_refusal) for name in nodes}
        self._where = f"{address}:{port}"
        self._server: Any = None

    async def __aenter__(self) -> AdsServer:
        server = aio.server(options=[("grpc.so_reuseport", 0)])
        handler = grpc.stream_stream_rpc_method_handler(
            self._converse,
            request_deserializer=discovery_pb2.DiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DiscoveryResponse.SerializeToString,
        )
        service = grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler})
        server.add_generic_rpc_handlers([service])
        try:
            server.add_insecure_port(self._where)
        except RuntimeError:
            raise Missing(f"{self._where} is taken", do="stop what listens there") from None
        await server.start()
        self._server = server
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            await self._server.stop(None)

    async def _converse(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        first = await anext(aiter(requests), None)
        node = self.nodes.get(first.node.id) if first else None
        if first is None or node is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such node")
            return
        stream = _Stream(node)
        node.attach(stream)
        listening = asyncio.create_task(_listen(stream, first, requests))
        try:
            while True:
                yield await stream.answers.get()
        finally:
            node.detach(stream)
            listening.cancel()


async def _listen(stream: _Stream, first: Any, requests: AsyncIterator[Any]) -> None:
    stream.heard(first)
    async for request in requests:
        stream.heard(request)
