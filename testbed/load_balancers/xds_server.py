"""The xDS server of the balancers' Envoys: aggregated discovery in an order that loses no request.

```
publish ──► clusters old+new ──► endpoints ──► secrets, listeners, routes ──► clusters new
            (each step waits until Envoy has accepted the one before)
```

The protocol is state of the world. A cluster exists before a route names it, and goes after the last route
to it is gone. A refusal of Envoy (NACK) is kept with Envoy's reason in `Node.refusals`; Envoy then continues
with its previous resources.
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
from testbed.load_balancers.envoy_messages import packed
from testbed.load_balancers.envoy_resources import Resources
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
"""Types whose response lists all resources: Envoy removes those that are missing in it."""

Named = Mapping[str, Message]
OnRefusal = Callable[[str, str, str], None]
"""Called with the node, the resource type and Envoy's own reason."""


@dataclass(slots=True)
class _Subscription:
    """One resource type on one stream."""

    names: frozenset[str] = frozenset()
    sent: dict[str, bytes] | None = None
    nonce: str = ""
    acknowledged: bool = True
    refused: bool = False


@dataclass(slots=True)
class Node:
    """One Envoy: the resources that it must have, and its stream while it is connected."""

    name: str
    on_refusal: OnRefusal
    resources: dict[str, Named] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    _stream: _Stream | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def publish(self, resources: Resources) -> None:
        """Send new resources; return when Envoy has accepted or refused them, or is not connected."""
        async with self._lock:
            old = self.resources.get(CLUSTER, {})
            clusters = {**old, **resources.clusters}
            await self._apply(
                {CLUSTER: clusters, ENDPOINT: {**self.resources.get(ENDPOINT, {}), **resources.endpoints}}
            )
            await self._apply(
                {SECRET: resources.secrets, LISTENER: resources.listeners, ROUTE: resources.routes}
            )
            await self._apply({CLUSTER: resources.clusters, ENDPOINT: resources.endpoints})

    async def _apply(self, changes: Mapping[str, Named]) -> None:
        self.resources |= changes
        if self._stream:
            await self._stream.settle()

    @property
    def is_connected(self) -> bool:
        """True while its Envoy has a stream open."""
        return self._stream is not None

    def attach(self, stream: _Stream) -> None:
        """Use a new stream of this node; it replaces a broken one."""
        self._stream = stream

    def detach(self, stream: _Stream) -> None:
        """Forget a stream of this node that has ended."""
        # Envoy may have opened its next stream before the end of the old one was noticed.
        if self._stream is stream:
            self._stream = None

    def refuse(self, kind: str, reason: str) -> None:
        """Record a refusal of Envoy."""
        self.refusals.append(f"{kind}: {reason}")
        self.on_refusal(self.name, kind, reason)


class _Stream:
    """One ADS stream: the resources that Envoy subscribed to, was sent, and has accepted."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.answers: asyncio.Queue[discovery_pb2.DiscoveryResponse] = asyncio.Queue()
        self._subscriptions: dict[str, _Subscription] = {}
        self._count = 0
        self._moved = asyncio.Event()

    def handle(self, request: Any) -> None:
        """Handle a request: a subscription, a change of one, an ACK or a NACK."""
        kind = request.type_url
        subscription = self._subscriptions.setdefault(kind, _Subscription())
        if request.response_nonce and request.response_nonce != subscription.nonce:
            return  # acknowledges an older response
        names = frozenset(request.resource_names)
        added = names - subscription.names
        subscription.names = names
        if request.response_nonce:
            subscription.acknowledged = True
            subscription.refused = request.HasField("error_detail")
            if subscription.refused:
                self.node.refuse(kind.rpartition(".")[2], " ".join(request.error_detail.message.split()))
        if subscription.sent is None or (added and kind not in WHOLE):
            subscription.sent = None if kind in WHOLE else subscription.sent
            self._send(kind, subscription, force=True)
        self._send_changed()
        self._moved.set()

    async def settle(self) -> None:
        """Send what changed and wait until Envoy has acknowledged all of it, or time is up."""
        self._send_changed()
        try:
            async with asyncio.timeout(PATIENCE.api_call):
                while not self._is_settled():
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            self.node.refuse("stream", f"Envoy did not answer within {PATIENCE.api_call:g} s")

    def _is_settled(self) -> bool:
        if not all(subscription.acknowledged for subscription in self._subscriptions.values()):
            return False
        clusters, endpoints = self._subscriptions.get(CLUSTER), self._subscriptions.get(ENDPOINT)
        # Envoy asks for no endpoints of clusters that it has refused, so waiting for them would take until
        # the timeout.
        if clusters and clusters.refused:
            return True
        subscribed = endpoints.names if endpoints else frozenset()
        # Envoy warms a new cluster first: it is usable only once Envoy has asked for its endpoints.
        return self.node.resources.get(CLUSTER, {}).keys() <= subscribed

    def _send_changed(self) -> None:
        order = (CLUSTER, ENDPOINT, SECRET, LISTENER, ROUTE)
        for kind in order:
            subscription = self._subscriptions.get(kind)
            if subscription and subscription.acknowledged:
                self._send(kind, subscription)

    def _send(self, kind: str, subscription: _Subscription, *, force: bool = False) -> None:
        wanted = self.node.resources.get(kind, {})
        chosen = (
            wanted if kind in WHOLE else {name: wanted[name] for name in subscription.names if name in wanted}
        )
        # Deterministic, or the order of a map would look like a change, and Envoy would replace a listener
        # for it.
        now = {name: message.SerializeToString(deterministic=True) for name, message in chosen.items()}
        if kind in WHOLE:
            if now == subscription.sent:
                return
        elif not force and all((subscription.sent or {}).get(name) == data for name, data in now.items()):
            return
        if not now and kind not in WHOLE:
            return  # none of the resources exists yet
        self._count += 1
        subscription.nonce = str(self._count)
        subscription.acknowledged = False
        subscription.sent = now
        if kind == CLUSTER and (endpoints := self._subscriptions.get(ENDPOINT)):
            endpoints.sent = {}  # Envoy warms a changed cluster again and waits for its endpoints
        self.answers.put_nowait(
            discovery_pb2.DiscoveryResponse(
                version_info=subscription.nonce,
                nonce=subscription.nonce,
                type_url=kind,
                resources=[packed(message) for message in chosen.values()],
            )
        )


class AdsServer:
    """The discovery server: an async context manager that listens while its block runs.

    Raises:
        Missing: the port is taken.
    """

    def __init__(self, address: str, port: int, nodes: Iterable[str], on_refusal: OnRefusal) -> None:
        self.nodes = {name: Node(name, on_refusal) for name in nodes}
        self._where = f"{address}:{port}"
        self._server: Any = None

    async def __aenter__(self) -> AdsServer:
        # By default a second server may bind the same port, and a taken port would not show.
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
    stream.handle(first)
    async for request in requests:
        stream.handle(request)
