"""The plan of a generator, passed to it as one JSON document: address, rate, clients and mix."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from testbed.client_models.catalogue import MODELS
from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.settings import DEFAULT_RATE, IPV6_SHARE, PRODUCTION
from testbed.traffic.calls import Call, as_json, from_json
from testbed.traffic.played_models import why_not_played

STREAMS_PER_CONNECTION = 64
"""Streams that one gRPC connection should hold on average: half of the 128 that an ALB allows (ALB guide,
HTTP/2), so that unary calls and the peaks of a Poisson process have room without queueing."""


class RequestKind(enum.Enum):
    """The kinds of request, each with protocol, shape and the name of the method in the journal."""

    GRPC_UNARY = ("grpc", "unary", "GetMeasurement")
    GRPC_SERVER_STREAM = ("grpc", "server_stream", "WatchMeasurements")
    GRPC_CLIENT_STREAM = ("grpc", "client_stream", "UploadScans")
    GRPC_BIDI = ("grpc", "bidi", "Calibrate")
    REST_GET = ("rest", "unary", "GET")
    REST_POST = ("rest", "unary", "POST")
    REST_EVENTS = ("rest", "server_stream", "GET")

    def __init__(self, protocol: Literal["grpc", "rest"], shape: str, method: str) -> None:
        self.protocol: Literal["grpc", "rest"] = protocol
        self.shape = shape
        self.method = method


def kind_of(call: Call) -> RequestKind:
    """Return the kind of a call of the user's own service."""
    if call.protocol == "rest":
        return RequestKind.REST_GET if call.is_idempotent else RequestKind.REST_POST
    return RequestKind[f"GRPC_{call.shape.upper()}"]


LONG = frozenset(
    {
        RequestKind.GRPC_SERVER_STREAM,
        RequestKind.GRPC_CLIENT_STREAM,
        RequestKind.GRPC_BIDI,
        RequestKind.REST_EVENTS,
    }
)


def stream_factor(concurrent: float, connections: int) -> float:
    """Return the factor for the share of streams, if `concurrent` would be open at once; at most 1.0."""
    room = connections * STREAMS_PER_CONNECTION
    return 1.0 if concurrent <= room or not connections else room / concurrent


@dataclass(frozen=True, slots=True)
class Mix:
    """The weight of each kind of request; the defaults add up to a thousand, but only proportions matter."""

    grpc_unary: float = 540.0
    grpc_server_stream: float = 20.0
    grpc_client_stream: float = 20.0
    grpc_bidi: float = 20.0
    rest_get: float = 340.0
    rest_post: float = 50.0
    rest_events: float = 10.0

    def weights(self) -> dict[RequestKind, float]:
        """Return the weight of each kind."""
        return {kind: getattr(self, kind.name.lower()) for kind in RequestKind}

    def spoken_by(self, *, grpc: bool, rest: bool) -> Mix:
        """Return the mix without the kinds of request that no client sends."""
        return dataclasses.replace(
            self,
            **{
                kind.name.lower(): 0.0
                for kind in RequestKind
                if not (grpc if kind.protocol == "grpc" else rest)
            },
        )

    def limited(self, rate: float, seconds: float, connections: int) -> Mix:
        """Return the mix with fewer streams, if a rate would keep more of them open than connections hold.

        Args:
            rate: requests per wall second.
            seconds: mean wall seconds that a stream lasts.
            connections: gRPC connections that share the streams.
        """
        weights = self.weights()
        long = sum(weight for kind, weight in weights.items() if kind in LONG)
        if not sum(weights.values()):
            raise BadInput("no client speaks the protocol of any call")
        factor = stream_factor(rate * long / sum(weights.values()) * seconds, connections)
        if factor == 1.0:
            return self
        return dataclasses.replace(
            self, **{kind.name.lower(): weight * factor for kind, weight in weights.items() if kind in LONG}
        )


@dataclass(frozen=True, slots=True)
class ClientGroup:
    """Clients that behave alike.

    Attributes:
        model: name of their client model.
        count: how many; each has connections of its own.
        resolver: name of the resolver between them and the zone.
        started: production seconds over which they start, from the first request of the traffic on.
        region: AWS region of their resolver; "" for that of the run.
        requests_every: production seconds between two requests of a client; 0 for those that share the rest.
    """

    model: str
    count: int
    resolver: str = "direct"
    started: float = 0.0
    region: str = ""
    requests_every: float = 0.0

    @property
    def is_grpc(self) -> bool:
        """True if they call by gRPC."""
        return MODELS[self.model].protocol == "grpc"


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """The plan of a generator: address, rate, clients and mix.

    Attributes:
        run: short id of the run; request ids are `<run>-<n>`.
        journal: the run's journal, to which the ledger is appended.
        host: the name that all clients resolve and verify.
        port: the port that all clients connect to.
        dns: `address:port` of the DNS server.
        ca_file: PEM bundle of the CAs that clients trust.
        rate: requests per wall second.
        seed: seed of the schedule.
        arrivals: `poisson`, as of independent clients, or `uniform`.
        clients: who calls, by client model.
        stream_least, stream_most, stream_message: production seconds that a stream lasts, and between
            two of its messages.
        mix: weights of the kinds of request to the sample service.
        max_in_flight: most requests in flight; beyond it a request counts as never started.
        paused: True to wait for `resume` before the first request.
        calls: calls of the user's own service, which replace `mix`.
        ipv6_share: share of the clients of each model that have IPv6, from 0 to 1.
        dns_of_ipv6_hosts: `address:port` of the DNS server as clients with IPv6 see it; "" if no client has.
        ipv6_ports: where the balancers write their ports of `::1`; "" if no client has IPv6.
    """

    run: str
    clock: Clock
    journal: Path
    host: str
    port: int
    dns: str
    ca_file: Path
    rate: float = DEFAULT_RATE
    seed: int = 0
    arrivals: Literal["poisson", "uniform"] = "poisson"
    clients: tuple[ClientGroup, ...] = (ClientGroup("grpcio", 8), ClientGroup("ttl-pool", 2))
    mix: Mix = field(default_factory=Mix)
    stream_least: float = PRODUCTION.stream_least
    stream_most: float = PRODUCTION.stream_most
    stream_message: float = PRODUCTION.stream_message
    max_in_flight: int = 10_000
    paused: bool = False
    calls: tuple[Call, ...] = ()
    ipv6_share: float = IPV6_SHARE
    dns_of_ipv6_hosts: str = ""
    ipv6_ports: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.rate < float("inf"):
            raise BadInput(f"a rate must be 0 or more requests per second, not {self.rate:g}")
        for group in self.clients:
            if refusal := why_not_played(group.model):
                raise BadInput(refusal)
        if not self.clients or any(group.count < 1 for group in self.clients):
            raise BadInput("traffic needs clients, at least one of each model")
        if not 0 <= self.ipv6_share <= 1:
            raise BadInput(f"a share of clients must be from 0 to 1, not {self.ipv6_share:g}")
        if not 0 < self.stream_message <= self.stream_least <= self.stream_most:
            raise BadInput("stream durations must be 0 < message <= least <= most")

    def ipv6_clients(self, clients: int) -> int:
        """Return how many of some clients have IPv6; of several, some have none unless all have."""
        if not self.dns_of_ipv6_hosts or not self.ipv6_share:
            return 0
        if self.ipv6_share == 1.0:
            return clients
        return min(clients - 1, max(1, round(self.ipv6_share * clients)))

    def of_ipv6_hosts(self) -> TrafficPlan:
        """Return the plan of the clients that have IPv6."""
        return dataclasses.replace(self, dns=self.dns_of_ipv6_hosts)

    @property
    def grpc_clients(self) -> int:
        """How many clients call by gRPC."""
        return sum(group.count for group in self.clients if group.is_grpc)

    @property
    def rest_clients(self) -> int:
        """How many clients call by REST."""
        return sum(group.count for group in self.clients if not group.is_grpc)

    @property
    def address(self) -> str:
        """The `host:port` that clients call."""
        return f"{self.host}:{self.port}"

    @property
    def dns_server(self) -> tuple[str, int]:
        """Address and port of the DNS server."""
        address, _, port = self.dns.rpartition(":")
        return address, int(port)

    def to_json(self) -> str:
        """Write the plan as text for the generator's command line; `from_json` reads it."""
        fields = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        fields |= {"journal": str(self.journal), "ca_file": str(self.ca_file), "calls": as_json(self.calls)}
        return orjson.dumps(fields).decode()

    @classmethod
    def from_json(cls, text: str) -> TrafficPlan:
        """Read the plan that `to_json` wrote.

        Raises:
            BadInput: the text is no such document.
        """
        try:
            fields: dict[str, Any] = orjson.loads(text)
            fields["clock"] = Clock(**fields["clock"])
            fields["mix"] = Mix(**fields.get("mix", {}))
            fields["calls"] = from_json(fields.get("calls", ()))
            if "clients" in fields:
                fields["clients"] = tuple(ClientGroup(**group) for group in fields["clients"])
            fields |= {"journal": Path(fields["journal"]), "ca_file": Path(fields["ca_file"])}
            return cls(**fields)
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"not a traffic plan: {error}") from None
