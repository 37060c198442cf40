"""An app: one gRPC channel with its own connection, which it keeps until the server ends it.

gRPC core's own resolver queries the run's DNS server, and its own `pick_first` chooses the address. So the
library that real apps use decides when the channel moves to a new answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import grpc
import grpc.aio

from testbed.backend import grpc_methods
from testbed.backend._generated.measurement.v1 import measurement_pb2 as pb
from testbed.backend.measurements import IDENTIFIERS
from testbed.journal import Outcome
from testbed.settings import PATIENCE, PRODUCTION
from testbed.traffic.grpc_sockets import FlowWatch
from testbed.traffic.ipv6_dialer import Relay
from testbed.traffic.ledger import FIELD_OF_HEADER, Entry, Ledger
from testbed.traffic.outcomes import judge_grpc
from testbed.traffic.own_grpc_calls import OwnCalls, raise_for_status
from testbed.traffic.traffic_plan import RequestKind, TrafficPlan

_MILLISECONDS = 1000
_POINTS = bytes(256)
_METHODS = {
    RequestKind.GRPC_UNARY: grpc_methods.GET_MEASUREMENT,
    RequestKind.GRPC_SERVER_STREAM: grpc_methods.WATCH_MEASUREMENTS,
    RequestKind.GRPC_CLIENT_STREAM: grpc_methods.UPLOAD_SCANS,
    RequestKind.GRPC_BIDI: grpc_methods.CALIBRATE,
}


class WrongAnswer(Exception):
    """The call succeeded with an answer that does not belong to its request."""


class AppClient:
    """Sends gRPC calls over one channel. Create it in the loop that uses it."""

    def __init__(
        self,
        name: str,
        plan: TrafficPlan,
        credentials: grpc.ChannelCredentials,
        ledger: Ledger,
        watch: FlowWatch,
        dns: tuple[str, int] | None = None,
        relay: Relay | None = None,
    ) -> None:
        """`dns` is the server that it asks, by default the plan's; without `relay` it has no IPv6."""
        self.name = name
        self._watched = watch
        self._relay = relay
        self._ledger = ledger
        self._interval = plan.clock.scaled(plan.stream_message)
        address, port = dns or plan.dns_server
        self._channel = grpc.aio.secure_channel(
            f"dns://{address}:{port}/{plan.address}",
            credentials,
            options=[*channel_options(plan), *(relay.options if relay else ())],
        )
        measurement = pb.Measurement.FromString
        self._get = self._channel.unary_unary(grpc_methods.GET_MEASUREMENT, None, measurement)
        self._watch = self._channel.unary_stream(grpc_methods.WATCH_MEASUREMENTS, None, measurement)
        self._upload = self._channel.stream_unary(
            grpc_methods.UPLOAD_SCANS, None, pb.UploadScansResponse.FromString
        )
        self._calibrate = self._channel.stream_stream(grpc_methods.CALIBRATE, None, measurement)
        # Encoded once, and not for each of hundreds of requests a second.
        self._get_requests = [
            pb.GetMeasurementRequest(id=identifier).SerializeToString() for identifier in IDENTIFIERS
        ]
        self._next = 0
        self._own = OwnCalls(self._channel, self._interval)
        self._calls: dict[RequestKind, Callable[[Entry], Awaitable[grpc.aio.Call]]] = {
            RequestKind.GRPC_UNARY: self._unary,
            RequestKind.GRPC_SERVER_STREAM: self._server_stream,
            RequestKind.GRPC_CLIENT_STREAM: self._client_stream,
            RequestKind.GRPC_BIDI: self._bidi,
        }

    async def send(self, entry: Entry) -> None:
        """Send a request, wait for its end, and write its outcome to the ledger, whatever happens."""
        entry.method = entry.call.path if entry.call else _METHODS[entry.kind]
        self._ledger.start(entry, self.name)
        if self._relay:
            entry.family = self._relay.family
        try:
            call = await (self._own.send(entry) if entry.call else self._calls[entry.kind](entry))
            _learn(entry, await call.initial_metadata())
        except grpc.aio.AioRpcError as error:
            # An answer without a body ("trailers only") has all its metadata in the trailers.
            trailers = error.trailing_metadata()
            _learn(entry, error.initial_metadata())
            _learn(entry, trailers)
            entry.status = error.code().name
            details = error.details() or ""
            self._finish(entry, judge_grpc(entry.status, details, answered=bool(trailers)), details)
        except WrongAnswer as error:
            entry.status = "OK"
            self._finish(entry, "failed", str(error))
        except (grpc.aio.BaseError, asyncio.InvalidStateError) as error:  # the library failed, not the peer
            self._finish(entry, "unknown", f"{type(error).__name__}: {error}")
        except asyncio.CancelledError:
            entry.status = "CANCELLED"
            self._finish(entry, "unknown", "still in flight when the generator had to end")
            raise
        else:
            entry.status = "OK"
            self._finish(entry, "ok")

    async def close(self) -> None:
        """Close the channel and its connection."""
        await self._channel.close()
        if self._relay:
            self._relay.close()

    def _finish(self, entry: Entry, outcome: Outcome, detail: str = "") -> None:
        # One that was lost with its connection finds the relay without it.
        if self._relay and (outcome == "ok" or self._relay.family == "ipv6"):
            entry.family = self._relay.family
        if not (self._relay and self._relay.takes_all):
            self._watched.answered(entry)
        self._ledger.finish(entry, outcome, detail)

    def _identifier(self) -> int:
        self._next = (self._next + 1) % len(IDENTIFIERS)
        return self._next

    def _deadline(self, messages: int) -> float:
        return self._interval * messages + PATIENCE.request

    async def _unary(self, entry: Entry) -> grpc.aio.Call:
        number = self._identifier()
        # The targets log this id, by which the verdict compares their account with the clients'.
        call = self._get(
            self._get_requests[number], metadata=(("x-request-id", entry.id),), timeout=PATIENCE.request
        )
        measurement = await call
        if measurement.id != IDENTIFIERS[number]:
            raise WrongAnswer(f"the answer is a measurement of {measurement.id!r}")
        return call

    async def _server_stream(self, entry: Entry) -> grpc.aio.Call:
        request = pb.WatchMeasurementsRequest(
            id=IDENTIFIERS[self._identifier()],
            count=entry.messages,
            interval_ms=round(self._interval * _MILLISECONDS),
        )
        call = self._watch(
            request.SerializeToString(),
            metadata=(("x-request-id", entry.id),),
            timeout=self._deadline(entry.messages),
        )
        received = 0
        async for _ in call:
            received += 1
        _expect(received, entry.messages)
        return call

    async def _client_stream(self, entry: Entry) -> grpc.aio.Call:
        call = self._upload(metadata=(("x-request-id", entry.id),), timeout=self._deadline(entry.messages))
        identifier = IDENTIFIERS[self._identifier()]
        try:
            for sequence in range(entry.messages):
                if sequence:
                    await asyncio.sleep(self._interval)
                await call.write(_scan(identifier, sequence))
            await call.done_writing()
        except asyncio.InvalidStateError:
            pass  # the call ended during a write; its status is raised below
        answer = await call
        _expect(answer.scans, entry.messages)
        return call

    async def _bidi(self, entry: Entry) -> grpc.aio.Call:
        call = self._calibrate(metadata=(("x-request-id", entry.id),), timeout=self._deadline(entry.messages))
        identifier = IDENTIFIERS[self._identifier()]
        received = 0
        try:
            for sequence in range(entry.messages):
                if sequence:
                    await asyncio.sleep(self._interval)
                await call.write(_scan(identifier, sequence))
                if await call.read() is grpc.aio.EOF:
                    break
                received += 1
            await call.done_writing()
        except asyncio.InvalidStateError:
            pass  # as above
        await raise_for_status(call)
        _expect(received, entry.messages)
        return call


def channel_options(plan: TrafficPlan) -> list[tuple[str, int]]:
    """Return gRPC core's defaults, scaled to the run; its connect timeout waits for real work and stays."""

    def milliseconds(seconds: float) -> int:
        return max(1, round(plan.clock.scaled(seconds) * _MILLISECONDS))

    return [
        ("grpc.use_local_subchannel_pool", 1),  # else channels of one process share their connections
        (
            "grpc.dns_min_time_between_resolutions_ms",
            milliseconds(PRODUCTION.dns_min_time_between_resolutions),
        ),
        ("grpc.initial_reconnect_backoff_ms", milliseconds(PRODUCTION.grpc_initial_backoff)),
        ("grpc.max_reconnect_backoff_ms", milliseconds(PRODUCTION.grpc_max_backoff)),
        ("grpc.enable_http_proxy", 0),  # the balancers are on this machine, whatever http_proxy says
    ]


def _scan(identifier: str, sequence: int) -> bytes:
    return pb.Scan(id=identifier, sequence=sequence, points=_POINTS).SerializeToString()


def _expect(received: int, expected: int) -> None:
    if received != expected:
        raise WrongAnswer(f"{received} of {expected} messages were answered")


def _learn(entry: Entry, metadata: grpc.aio.Metadata | None) -> None:
    for key, value in metadata or ():
        if key in FIELD_OF_HEADER:
            setattr(entry, FIELD_OF_HEADER[key], value)
