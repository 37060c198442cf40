"""The operator's configuration of the target, with the real Envoy and the real sample service."""

from __future__ import annotations

import contextlib
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
import trustme

from testbed.backend import grpc_methods
from testbed.backend._generated.measurement.v1 import measurement_pb2 as pb
from testbed.child_process import Command, Process
from testbed.clock import Clock
from testbed.network import Network
from testbed.runtime.components import backends, target_envoys
from testbed.runtime.components.envoy_process import Envoy
from testbed.settings import PATIENCE

SPEED = 300.0
HOST = "api.example.com"
AGE = 300.0


@dataclass
class Target:
    """A running target Envoy."""

    address: str
    folder: Path
    trusted: bytes
    process: Process
    envoy: Envoy

    def channel(self, *, tls: bool) -> grpc.Channel:
        options = [("grpc.ssl_target_name_override", HOST), ("grpc.use_local_subchannel_pool", 1)]
        if not tls:
            return grpc.insecure_channel(f"{self.address}:8080", options=options)
        return grpc.secure_channel(
            f"{self.address}:8443", grpc.ssl_channel_credentials(self.trusted), options=options
        )


@pytest.fixture
def target(tmp_path: Path, network: Network) -> Iterator[Target]:
    authority = trustme.CA()
    leaf = authority.issue_cert(HOST)
    chain, key = tmp_path / "own.pem", tmp_path / "own.key"
    chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    backend = network.backend_pod(0)
    command = [sys.executable, "-m", "testbed.backend", "--name", "backend-0", "--address", backend]
    pod = target_envoys.TargetPod("envoy-0", network.envoy_pod(0), (backend,), chain, key, AGE)
    started = target_envoys.envoy(pod, Clock(SPEED), tmp_path)
    with contextlib.ExitStack() as stack:
        serving = stack.enter_context(Process(Command("backend-0", command), tmp_path))
        process = stack.enter_context(started.start(tmp_path))
        serving.wait_until(lambda: "ready" in serving.log.read_text())
        started.wait_until_ready(process)
        yield Target(pod.address, tmp_path, authority.cert_pem.bytes(), process, started)


def test_both_listeners_route_alike_and_log_each_request_as_it_was_named(target: Target) -> None:
    message = pb.GetMeasurementRequest(id="a-1").SerializeToString()
    for tls, name in ((True, "tls"), (False, "plain")):
        with target.channel(tls=tls) as channel:
            _, call = channel.unary_unary(grpc_methods.GET_MEASUREMENT).with_call(
                message, timeout=PATIENCE.request, metadata=(("x-request-id", f"grpc-{name}"),)
            )
            headers = dict(call.initial_metadata())
        assert (headers["x-testbed-pod"], headers["x-testbed-listener"]) == ("envoy-0", name)
        scheme, port = ("https", 8443) if tls else ("http", 8080)
        with httpx.Client(verify=False, trust_env=False, headers={"x-request-id": f"rest-{name}"}) as client:
            answer = client.get(f"{scheme}://{target.address}:{port}/measurements/a-1")
        assert answer.status_code == 200
        assert answer.headers["x-testbed-listener"] == name
        assert answer.headers["x-testbed-peer"] == "127.0.0.1"
    target.process.stop()
    logged = {event.id: event for event in target_envoys.access_events(target.folder / "envoy-0.access.json")}
    assert set(logged) == {"grpc-tls", "grpc-plain", "rest-tls", "rest-plain"}
    grpc_line, rest_line = logged["grpc-tls"], logged["rest-plain"]
    assert (grpc_line.grpc_status, grpc_line.status, grpc_line.listener) == ("OK", 200, "tls")
    assert (rest_line.path, rest_line.protocol, rest_line.pod) == ("/measurements/a-1", "HTTP/1.1", "envoy-0")
    assert rest_line.flags == ""
    assert grpc_line.upstream.endswith(f":{backends.GRPC_PORT}")
    assert rest_line.upstream.endswith(f":{backends.REST_PORT}")


@pytest.mark.parametrize(("offered", "agreed"), [(["h2"], "h2"), (["http/1.1"], "http/1.1"), ([], None)])
def test_the_tls_listener_agrees_on_what_a_client_offers(
    target: Target, offered: list[str], agreed: str | None
) -> None:
    import socket

    context = ssl.create_default_context(cadata=target.trusted.decode())
    if offered:
        context.set_alpn_protocols(offered)
    with (
        socket.create_connection((target.address, 8443), PATIENCE.request) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as tls,
    ):
        assert tls.selected_alpn_protocol() == agreed


def test_an_unknown_method_ends_as_unimplemented_as_the_albs_check_wants(target: Target) -> None:
    with target.channel(tls=False) as channel, pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/AWS.ALB/healthcheck")(b"", timeout=PATIENCE.request)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_connection_of_age_is_retired_without_losing_its_stream(target: Target) -> None:
    """The age of 300 s is a second here; a stream outlives it and the next call takes a new connection."""
    message = pb.GetMeasurementRequest(id="a-1").SerializeToString()
    watch = pb.WatchMeasurementsRequest(id="a-1", count=30, interval_ms=50).SerializeToString()
    with target.channel(tls=True) as channel:
        stream = channel.unary_stream(grpc_methods.WATCH_MEASUREMENTS)(watch, timeout=PATIENCE.request)
        seen = 0
        for _ in stream:
            seen += 1
            channel.unary_unary(grpc_methods.GET_MEASUREMENT)(message, timeout=PATIENCE.request)
        assert seen == 30
    target.process.stop()
    events = list(target_envoys.access_events(target.folder / "envoy-0.access.json"))
    assert len({event.connection for event in events}) >= 2
    assert {event.grpc_status for event in events} == {"OK"}
