"""An app: one gRPC channel with a connection of its own, which it keeps for as long as it is let.

The channel resolves the name over the run's DNS server by gRPC core's own resolver and chooses the
address by its own `pick_first`, so when and whether it moves to a new answer is decided by the library
that real apps run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import grpc
import grpc.aio

from testbed.backend import methods
from testbed.backend._generated.measurement.v1 import measurement_pb2 as pb
from testbed.settings import PATIENCE, PRODUCTION
from testbed.traffic.ledger import Entry, Ledger
from testbed.traffic.outcomes import judge_grpc
from testbed.traffic.own_calls import OwnCalls, raise_for_status
from testbed.traffic.plan import Kind, TrafficPlan

IDENTIFIERS = tuple(f"foot-{number}" for number in range(32))
_MILLISECONDS = 1000
_POINTS = bytes(256)
_METHODS = {
    Kind.GRPC_UNARY: methods.GET_MEASUREMENT,
    Kind.GRPC_SERVER_STREAM: methods.WATCH_MEASUREMENTS,
    Kind.GRPC_CLIENT_STREAM: methods.UPLOAD_SCANS,
    Kind.GRPC_BIDI: methods.CALIBRATE,
}


class WrongAnswer(Exception):
    """The call ended well with an answer that is not the one to this request."""


class AppClient:
    """Sends gRPC calls over one channel. Make it in the loop that uses it."""

    def __init__(
        self, name: str, plan: TrafficPlan, credentials: grpc.ChannelCredentials, ledger: Ledger
    ) -> None:
        self.name = name
        self._ledger = ledger
        self._interval = plan.clock.scaled(plan.stream_message)
        self._channel = grpc.aio.secure_channel(
            f"dns://{plan.dns}/{plan.address}", credentials, options=channel_options(plan)
        )
        measurement = pb.Measurement.FromString
        self._get = self._channel.unary_unary(methods.GET_MEASUREMENT, None, measurement)
        self._watch = self._channel.unary_stream(methods.WATCH_MEASUREMENTS, None, measurement)
        self._upload = self._channel.stream_unary(
            methods.UPLOAD_SCANS, None, pb.UploadScansResponse.FromString
        )
        self._calibrate = self._channel.stream_stream(methods.CALIBRATE, None, measurement)
        self._get_requests = [
            pb.GetMeasurementRequest(id=identifier).SerializeToString() for identifier in IDENTIFIERS
        ]
        self._next = 0
        self._own = OwnCalls(self._channel, self._interval)
        self._calls: dict[Kind, Callable[[Entry], Awaitable[grpc.aio.Call]]] = {
            Kind.GRPC_UNARY: self._unary,
            Kind.GRPC_SERVER_STREAM: self._server_stream,
            Kind.GRPC_CLIENT_STREAM: self._client_stream,
            Kind.GRPC_BIDI: self._bidi,
        }

    async def send(self, entry: Entry) -> None:
        """Send a request and see it through; its outcome goes to the ledger, whatever happens."""
        entry.method = entry.call.path if entry.call else _METHODS[entry.kind]
        self._ledger.start(entry, self.name)
        try:
            call = await (self._own.send(entry) if entry.call else self._calls[entry.kind](entry))
            _learn(entry, await call.initial_metadata())
        except grpc.aio.AioRpcError as error:
            # An answer without a body ("trailers only") has all its metadata at its end.
            trailers = error.trailing_metadata()
            _learn(entry, error.initial_metadata())
            _learn(entry, trailers)
            entry.status = error.code().name
            details = error.details() or ""
            self._ledger.finish(entry, judge_grpc(entry.status, details, answered=bool(trailers)), details)
        except WrongAnswer as error:
            entry.status = "OK"
            self._ledger.finish(entry, "failed", str(error))
        except (grpc.aio.BaseError, asyncio.InvalidStateError) as error:  # the library gave up, not the peer
            self._ledger.finish(entry, "unknown", f"{type(error).__name__}: {error}")
        except asyncio.CancelledError:
            entry.status = "CANCELLED"
            self._ledger.finish(entry, "unknown", "still under way when the generator had to end")
            raise
        else:
            entry.status = "OK"
            self._ledger.finish(entry, "ok")

    async def close(self) -> None:
        """Close the channel and its connection."""
        await self._channel.close()

    def _identifier(self) -> int:
        self._next = (self._next + 1) % len(IDENTIFIERS)
        return self._next

    def _deadline(self, messages: int) -> float:
        return self._interval * messages + PATIENCE.request

    async def _unary(self, entry: Entry) -> grpc.aio.Call:
        number = self._identifier()
        call = self._get(
            self._get_requests[number], metadata=(("x-request-id", entry.id),), timeout=PATIENCE.request
        )
        measurement = await call
        if measurement.id != IDENTIFIERS[number]:
            raise WrongAnswer(f"a measurement of {measurement.id!r} was answered")
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
            pass  # the call ended while it was written; its status is raised below
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
    """gRPC core's defaults, in the time of the run; connecting is real work and keeps its own."""

    def milliseconds(seconds: float) -> int:
        return max(1, round(plan.clock.scaled(seconds) * _MILLISECONDS))

    return [
        ("grpc.use_local_subchannel_pool", 1),
        (
            "grpc.dns_min_time_between_resolutions_ms",
            milliseconds(PRODUCTION.dns_min_time_between_resolutions),
        ),
        ("grpc.initial_reconnect_backoff_ms", milliseconds(PRODUCTION.grpc_initial_backoff)),
        ("grpc.max_reconnect_backoff_ms", milliseconds(PRODUCTION.grpc_max_backoff)),
        ("grpc.enable_http_proxy", 0),
    ]


def _scan(identifier: str, sequence: int) -> bytes:
    return pb.Scan(id=identifier, sequence=sequence, points=_POINTS).SerializeToString()


def _expect(received: int, wanted: int) -> None:
    if received != wanted:
        raise WrongAnswer(f"{received} of {wanted} messages were answered")


def _learn(entry: Entry, metadata: grpc.aio.Metadata | None) -> None:
    for key, value in metadata or ():
        if key == "x-testbed-peer":
            entry.peer = value
        elif key == "x-testbed-connection":
            entry.connection = value
        elif key == "x-testbed-pod":
            entry.pod = value
        elif key == "x-testbed-listener":
            entry.listener = value
