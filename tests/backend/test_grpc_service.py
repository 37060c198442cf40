from __future__ import annotations

import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from testbed.backend import grpc_methods
from testbed.backend._generated.measurement.v1 import measurement_pb2 as pb
from testbed.backend.grpc_service import serve_grpc


@pytest.fixture
def channel(pod):
    with grpc.insecure_channel(f"{pod.address}:50051", [("grpc.enable_http_proxy", 0)]) as channel:
        yield channel


def serialize(message):
    return message.SerializeToString()


def test_a_measurement_is_answered_with_the_pod_that_made_it(channel):
    call = channel.unary_unary(grpc_methods.GET_MEASUREMENT, serialize, pb.Measurement.FromString)
    answer = call(pb.GetMeasurementRequest(id="foot-1"))
    assert (answer.id, answer.pod) == ("foot-1", "backend-0")


def test_a_measurement_without_an_id_is_not_found(channel):
    call = channel.unary_unary(grpc_methods.GET_MEASUREMENT, serialize, pb.Measurement.FromString)
    with pytest.raises(grpc.RpcError) as error:
        call(pb.GetMeasurementRequest())
    assert error.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_watch_sends_as_many_measurements_as_asked_at_the_interval_asked(channel):
    call = channel.unary_stream(grpc_methods.WATCH_MEASUREMENTS, serialize, pb.Measurement.FromString)
    began = time.monotonic()
    answers = list(call(pb.WatchMeasurementsRequest(id="foot-1", count=3, interval_ms=50)))
    assert [answer.sequence for answer in answers] == [0, 1, 2]
    assert time.monotonic() - began >= 0.1


def test_an_upload_is_counted(channel):
    call = channel.stream_unary(grpc_methods.UPLOAD_SCANS, serialize, pb.UploadScansResponse.FromString)
    answer = call(iter([pb.Scan(id="a", points=b"123"), pb.Scan(id="a", points=b"45")]))
    assert (answer.scans, answer.bytes) == (2, 5)


def test_each_scan_of_a_calibration_is_answered(channel):
    call = channel.stream_stream(grpc_methods.CALIBRATE, serialize, pb.Measurement.FromString)
    answers = list(call(iter(pb.Scan(id="a", sequence=number) for number in range(4))))
    assert [answer.sequence for answer in answers] == [0, 1, 2, 3]


def test_the_health_check_of_an_alb_finds_an_unimplemented_method(channel):
    call = channel.unary_unary("/AWS.ALB/healthcheck")
    with pytest.raises(grpc.RpcError) as error:
        call(b"")
    assert error.value.code().value[0] == 12


@pytest.mark.parametrize("service", ["", grpc_methods.SERVICE])
def test_the_standard_health_service_says_serving(channel, service):
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_lists_the_services_and_their_messages(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    assert grpc_methods.SERVICE in database.get_services()
    found = database.FindFileContainingSymbol(grpc_methods.SERVICE)
    assert [method.name for method in found.service[0].method] == [
        path.rpartition("/")[2]
        for path in (
            grpc_methods.GET_MEASUREMENT,
            grpc_methods.WATCH_MEASUREMENTS,
            grpc_methods.UPLOAD_SCANS,
            grpc_methods.CALIBRATE,
        )
    ]


async def test_a_taken_port_is_an_error_and_no_second_server(network):
    first = await serve_grpc("pod-0", network.control, 50051)
    with pytest.raises(RuntimeError):
        await serve_grpc("pod-1", network.control, 50051)
    await first.stop(None)
