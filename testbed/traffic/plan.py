"""What the generator is told, as one JSON document: whom to call, how often, and with which mix."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.settings import DEFAULT_RATE, PRODUCTION
from testbed.traffic.calls import Call, as_json, from_json

STREAMS_PER_CONNECTION = 64
"""Long calls that one gRPC connection is meant to hold: half of the 128 that an ALB allows (ALB guide,
HTTP/2), so that unary calls and the chance of a Poisson process find room without queueing."""


class Kind(enum.Enum):
    """The kinds of request; protocol, shape and the method's name in the journal."""

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


def kind_of(call: Call) -> Kind:
    """The kind of request that a call of the user's own is."""
    if call.protocol == "rest":
        return Kind.REST_GET if call.is_idempotent else Kind.REST_POST
    return Kind[f"GRPC_{call.shape.upper()}"]


LONG = frozenset({Kind.GRPC_SERVER_STREAM, Kind.GRPC_CLIENT_STREAM, Kind.GRPC_BIDI, Kind.REST_EVENTS})


def stream_factor(concurrent: float, connections: int) -> float:
    """By how much to cut the share of streams that would hold so many open at once; 1.0 for not at all."""
    room = connections * STREAMS_PER_CONNECTION
    return 1.0 if concurrent <= room else room / concurrent


@dataclass(frozen=True, slots=True)
class Mix:
    """How many of a thousand requests are of a kind; the rest up to a thousand does not matter, the
    proportions do."""

    grpc_unary: float = 540.0
    grpc_server_stream: float = 20.0
    grpc_client_stream: float = 20.0
    grpc_bidi: float = 20.0
    rest_get: float = 340.0
    rest_post: float = 50.0
    rest_events: float = 10.0

    def weights(self) -> dict[Kind, float]:
        """The proportion of each kind."""
        return {kind: getattr(self, kind.name.lower()) for kind in Kind}

    def limited(self, rate: float, seconds: float, connections: int) -> Mix:
        """The mix with fewer streams, if a rate would hold more of them open than connections carry.

        Args:
            rate: requests per wall second.
            seconds: mean wall seconds that a stream lasts.
            connections: gRPC connections that share the streams.
        """
        weights = self.weights()
        long = sum(weight for kind, weight in weights.items() if kind in LONG)
        factor = stream_factor(rate * long / sum(weights.values()) * seconds, connections)
        if factor == 1.0:
            return self
        return dataclasses.replace(
            self, **{kind.name.lower(): weight * factor for kind, weight in weights.items() if kind in LONG}
        )


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """Whom to call, how often, by how many clients.

    Attributes:
        run: short id of the run; request ids are `<run>-<n>`.
        journal: the run's journal, to which the ledger is appended.
        host: the name that all clients resolve and verify.
        port: the port that all clients connect to.
        dns: `address:port` of the DNS server.
        ca_file: PEM bundle of the CAs that clients trust.
        rate: requests per wall second.
        arrivals: `poisson`, as independent clients are, or `uniform`.
        app_clients: gRPC channels, each with a connection of its own.
        server_clients: HTTP/1.1 clients, each with a pool of its own.
        stream_least, stream_most, stream_message: production seconds that a stream lasts, and between
            two of its messages.
        max_in_flight: past it requests are not started, and counted as such.
        paused: wait for `resume` before the first request.
        calls: calls of the user's own service, in the place of `mix`.
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
    app_clients: int = 8
    server_clients: int = 2
    mix: Mix = field(default_factory=Mix)
    stream_least: float = PRODUCTION.stream_least
    stream_most: float = PRODUCTION.stream_most
    stream_message: float = PRODUCTION.stream_message
    max_in_flight: int = 10_000
    paused: bool = False
    calls: tuple[Call, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.rate < float("inf"):
            raise BadInput(f"a rate is 0 or more requests per second, not {self.rate:g}")
        if self.app_clients < 1 or self.server_clients < 1:
            raise BadInput("traffic needs at least one app client and one server client")
        if not 0 < self.stream_message <= self.stream_least <= self.stream_most:
            raise BadInput("stream durations are 0 < message <= least <= most")

    @property
    def address(self) -> str:
        """What clients ask for: `host:port`."""
        return f"{self.host}:{self.port}"

    @property
    def dns_server(self) -> tuple[str, int]:
        """Address and port of the DNS server."""
        address, _, port = self.dns.rpartition(":")
        return address, int(port)

    def to_json(self) -> str:
        """The plan as text for the generator's command line; `from_json` reads it."""
        fields = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        fields |= {"journal": str(self.journal), "ca_file": str(self.ca_file), "calls": as_json(self.calls)}
        return orjson.dumps(fields).decode()

    @classmethod
    def from_json(cls, text: str) -> TrafficPlan:
        """The plan that `to_json` wrote.

        Raises:
            BadInput: not such a document.
        """
        try:
            fields: dict[str, Any] = orjson.loads(text)
            fields["clock"] = Clock(**fields["clock"])
            fields["mix"] = Mix(**fields.get("mix", {}))
            fields["calls"] = from_json(fields.get("calls", ()))
            fields |= {"journal": Path(fields["journal"]), "ca_file": Path(fields["ca_file"])}
            return cls(**fields)
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"not a traffic plan: {error}") from None
