"""The sample service as gRPC, with health and reflection.

An unknown method ends with UNIMPLEMENTED (12): an ALB's default health check of a GRPC target group calls
`/AWS.ALB/healthcheck` and counts exactly that as healthy.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import grpc.aio

from testbed.backend import grpc_methods
from testbed.backend._generated.measurement.v1 import measurement_pb2 as pb
from testbed.backend.any_service import AnyMethod
from testbed.backend.measurements import measure

_MILLISECONDS = 1000


class MeasurementService:
    """The four methods of `measurement.v1.MeasurementService`; each measurement names the `pod`."""

    def __init__(self, pod: str) -> None:
        self._pod = pod

    def _measurement(self, identifier: str, sequence: int = 0) -> pb.Measurement:
        foot = measure(identifier)
        return pb.Measurement(
            id=identifier, sequence=sequence, foot_length=foot.length, foot_width=foot.width, pod=self._pod
        )

    async def get_measurement(
        self,
        request: pb.GetMeasurementRequest,
        context: grpc.aio.ServicerContext,
    ) -> pb.Measurement:
        """Return one measurement."""
        if not request.id:
            await context.abort(grpc.StatusCode.NOT_FOUND, "a measurement needs an id")
        return self._measurement(request.id)

    async def watch_measurements(
        self, request: pb.WatchMeasurementsRequest, _: object
    ) -> AsyncIterator[pb.Measurement]:
        """Yield `count` measurements, `interval_ms` apart."""
        for sequence in range(request.count):
            if sequence:
                await asyncio.sleep(request.interval_ms / _MILLISECONDS)
            yield self._measurement(request.id, sequence)

    async def upload_scans(self, scans: AsyncIterator[pb.Scan], _: object) -> pb.UploadScansResponse:
        """Count the scans and their bytes."""
        answer = pb.UploadScansResponse()
        async for scan in scans:
            answer.scans += 1
            answer.bytes += len(scan.points)
        return answer

    async def calibrate(self, scans: AsyncIterator[pb.Scan], _: object) -> AsyncIterator[pb.Measurement]:
        """Yield a measurement for each scan as it arrives."""
        async for scan in scans:
            yield self._measurement(scan.id, scan.sequence)

    def handler(self) -> grpc.GenericRpcHandler:
        """Return the methods by name, for `server.add_generic_rpc_handlers`."""
        measurement = pb.Measurement.SerializeToString
        handlers = {
            grpc_methods.GET_MEASUREMENT: grpc.unary_unary_rpc_method_handler(
                self.get_measurement,
                pb.GetMeasurementRequest.FromString,
                measurement,
            ),
            grpc_methods.WATCH_MEASUREMENTS: grpc.unary_stream_rpc_method_handler(
                self.watch_measurements,
                pb.WatchMeasurementsRequest.FromString,
                measurement,
            ),
            grpc_methods.UPLOAD_SCANS: grpc.stream_unary_rpc_method_handler(
                self.upload_scans,
                pb.Scan.FromString,
                pb.UploadScansResponse.SerializeToString,
            ),
            grpc_methods.CALIBRATE: grpc.stream_stream_rpc_method_handler(
                self.calibrate,
                pb.Scan.FromString,
                measurement,
            ),
        }
        return grpc.method_handlers_generic_handler(
            grpc_methods.SERVICE, {path.rpartition("/")[2]: handler for path, handler in handlers.items()}
        )


async def serve_grpc(pod: str, address: str, port: int, *, any_method: bool = False) -> grpc.aio.Server:
    """Start the gRPC server in the running loop.

    Args:
        pod: name of the pod.
        address, port: the address and port to listen on.
        any_method: True to answer any method instead of the sample service's.

    Raises:
        RuntimeError: the port is taken.
    """
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha import reflection

    # By default a second server may bind the same port, and a taken port would not show.
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    if not any_method:
        server.add_generic_rpc_handlers([MeasurementService(pod).handler()])
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for name in ("", grpc_methods.SERVICE):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    reflection.enable_server_reflection(
        (grpc_methods.SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server
    )
    if any_method:
        server.add_generic_rpc_handlers(
            [AnyMethod()]
        )  # last, because the first handler that knows a method gets it
    server.add_insecure_port(f"{address}:{port}")
    await server.start()
    return server
