"""Probes a balancer by its own DNS name with one gRPC and one REST request of the public host.

Like `curl --connect-to`: the connection goes to the balancer's own DNS name, while SNI, certificate check and
authority are those of the host. It shows what a balancer would serve before any record points to it.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson

from testbed.backend.measurements import IDENTIFIERS
from testbed.journal import PROBE_ID_PREFIX
from testbed.settings import PATIENCE
from testbed.traffic.calls import Call

_IDENTIFIER = IDENTIFIERS[0]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of a probe. `status` is the gRPC status, the HTTP status, or the reason for no answer."""

    protocol: Literal["grpc", "rest"]
    status: str
    pod: str = ""
    listener: str = ""
    peer: str = ""
    detail: str = ""

    @property
    def is_ok(self) -> bool:
        """True if the expected answer came."""
        return self.status in {"OK", "200"} and not self.detail


def probe(
    name: str,
    port: int,
    *,
    server_name: str,
    ca_file: Path,
    dns: tuple[str, int] | None = None,
    calls: Sequence[Call] = (),
) -> list[ProbeResult]:
    """Call a balancer by its own name, and wait for both answers.

    Args:
        name: DNS name or IP of the balancer.
        port: port of its listener.
        server_name: the public host, for SNI, certificate and authority.
        ca_file: PEM bundle that must verify the certificate.
        dns: address and port of the DNS server that knows `name`; not needed for an IP.
        calls: calls of the user's own service; the first unary one of each protocol is sent.
    """
    # Reversed, so that the first call of a protocol is the one that stays.
    own = {call.protocol: call for call in reversed(calls) if call.shape == "unary"}
    addresses, problem = _resolve(name, dns)
    if not addresses:
        return [ProbeResult("grpc", problem, detail=name), ProbeResult("rest", problem, detail=name)]
    results = []
    if not calls or "grpc" in own:
        results.append(_probe_grpc(addresses, port, server_name, ca_file, own.get("grpc")))
    if not calls or "rest" in own:
        results.append(_probe_rest(addresses, port, server_name, ca_file, own.get("rest")))
    return results


def _resolve(name: str, server: tuple[str, int] | None) -> tuple[list[str], str]:
    try:
        return [str(ipaddress.ip_address(name))], ""
    except ValueError:
        pass
    import dns.exception
    import dns.resolver

    resolver = dns.resolver.Resolver(configure=server is None)
    if server:
        resolver.nameservers, resolver.port = [server[0]], server[1]
    resolver.lifetime = PATIENCE.dns_query
    try:
        return [record.address for record in resolver.resolve(name, "A", search=False)], ""
    except dns.exception.DNSException as error:
        return [], type(error).__name__


def _probe_grpc(
    addresses: list[str], port: int, server_name: str, ca_file: Path, own: Call | None
) -> ProbeResult:
    import grpc

    from testbed.backend import grpc_methods
    from testbed.backend._generated.measurement.v1 import measurement_pb2 as pb

    target = "ipv4:" + ",".join(f"{address}:{port}" for address in addresses)
    options = [
        ("grpc.ssl_target_name_override", server_name),
        ("grpc.default_authority", f"{server_name}:{port}"),
        # Each probe makes connections of its own, and none through a proxy: the balancers are on this
        # machine.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_http_proxy", 0),
    ]
    credentials = grpc.ssl_channel_credentials(ca_file.read_bytes())
    with grpc.secure_channel(target, credentials, options) as channel:
        call = channel.unary_unary(own.path if own else grpc_methods.GET_MEASUREMENT, None, None)
        request = own.body if own else pb.GetMeasurementRequest(id=_IDENTIFIER).SerializeToString()
        metadata = (("x-request-id", _request_id()), *(own.headers if own else ()))
        try:
            answer, ended = call.with_call(request, timeout=PATIENCE.request, metadata=metadata)
        except grpc.RpcError as error:
            metadata_of_error = dict([*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())])
            return _result("grpc", error.code().name, metadata_of_error, error.details() or "")
        identifier = _IDENTIFIER if own else pb.Measurement.FromString(answer).id
        detail = "" if identifier == _IDENTIFIER else f"the answer is a measurement of {identifier!r}"
        return _result("grpc", "OK", dict(ended.initial_metadata()), detail)


def _probe_rest(
    addresses: list[str], port: int, server_name: str, ca_file: Path, own: Call | None
) -> ProbeResult:
    tls = ssl.create_default_context(cafile=str(ca_file))
    tls.set_alpn_protocols(["http/1.1"])
    try:
        # HTTPSConnection would look up the host itself and connect to where its record points; with a socket
        # of its own, HTTPConnection only writes the request and the Host header.
        connection = http.client.HTTPConnection(server_name, port)
        connection.sock = tls.wrap_socket(_connect(addresses, port), server_hostname=server_name)
        with connection.sock:
            headers = {"x-request-id": _request_id(), "accept": "application/json"}
            if own:
                connection.request(own.method, own.path, own.body or None, headers | dict(own.headers))
            else:
                connection.request("GET", f"/measurements/{_IDENTIFIER}", headers=headers)
            answer = connection.getresponse()
            body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return ProbeResult("rest", type(error).__name__, detail=str(error) or "no answer")
    metadata = {key.lower(): value for key, value in answer.getheaders()}
    if own and 200 <= answer.status < 300 and own.status in (None, answer.status):
        return _result("rest", "200", metadata, "")
    # The testbed knows the body of its own measurement only; of a user's call, the status alone counts.
    is_right = not own and _is_right(body)
    detail = "" if is_right else body[:200].decode("latin-1") or "an empty answer"
    return _result("rest", str(answer.status), metadata, detail)


def _connect(addresses: Iterable[str], port: int) -> socket.socket:
    problem: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=PATIENCE.request)
        except OSError as error:
            problem = error
    raise problem or OSError("no address")


def _is_right(body: bytes) -> bool:
    try:
        return bool(orjson.loads(body)["id"] == _IDENTIFIER)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False


def _request_id() -> str:
    return PROBE_ID_PREFIX + uuid.uuid4().hex[:12]


def _result(
    protocol: Literal["grpc", "rest"], status: str, metadata: Mapping[str, str], detail: str
) -> ProbeResult:
    return ProbeResult(
        protocol,
        status,
        pod=metadata.get("x-testbed-pod", ""),
        listener=metadata.get("x-testbed-listener", ""),
        peer=metadata.get("x-testbed-peer", ""),
        detail=detail,
    )
