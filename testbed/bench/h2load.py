"""Measures throughput with h2load, nghttp2's load generator, as the yardstick for the testbed's own."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile

from testbed.bench.generator_ceiling import UNARY
from testbed.traffic.traffic_plan import LONG, RequestKind, TrafficPlan

_GET_FOOT_1 = b"\x00\x00\x00\x00\x08\x0a\x06foot-1"
"""A gRPC frame: uncompressed, 8 bytes, field 1 of GetMeasurementRequest."""
_FINISHED = re.compile(r"finished in [^,]+, ([0-9.]+) req/s")
_CODES = re.compile(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx")


def h2load(address: str, plan: TrafficPlan, seconds: float) -> float | None:
    """Return the requests per second that h2load reaches at an address with the mix of `ceiling`.

    gRPC and REST are measured one after the other, and combined by their shares of the mix. None if h2load is
    not installed, or if some answers failed.
    """
    if not shutil.which("h2load"):
        return None
    weights = UNARY.weights()
    total = sum(weight for kind, weight in weights.items() if kind not in LONG)
    grpc_share = weights[RequestKind.GRPC_UNARY] / total
    url = f"https://{plan.address}"
    with tempfile.NamedTemporaryFile() as body:
        body.write(_GET_FOOT_1)
        body.flush()
        grpc_arguments = ["-m", "16", "-c", str(plan.grpc_clients), "-d", body.name]
        # h2load sends plain HTTP/2; gRPC prescribes both headers for each request.
        grpc_arguments += ["-H", "content-type: application/grpc", "-H", "te: trailers"]
        grpc_arguments.append(f"{url}/measurement.v1.MeasurementService/GetMeasurement")
        grpc_rate = _h2load(address, plan.port, seconds, grpc_arguments)
    rest_arguments = ["--h1", "-c", str(16 * plan.rest_clients), f"{url}/measurements/foot-1"]
    rest_rate = _h2load(address, plan.port, seconds, rest_arguments)
    if not grpc_rate or not rest_rate:
        return None
    # The times of a request add up, not the rates: a weighted harmonic mean.
    return 1 / (grpc_share / grpc_rate + (1 - grpc_share) / rest_rate)


def one_at_a_time(address: str, port: int, url: str, seconds: float) -> float | None:
    """Return the requests per second of a closed loop of one over HTTP/2; None as with `h2load`."""
    if not shutil.which("h2load"):
        return None
    return _h2load(address, port, seconds, ["-c", "1", "-m", "1", url])


def _h2load(address: str, port: int, seconds: float, arguments: list[str]) -> float | None:
    command = ["h2load", "--duration", f"{seconds:g}", f"--connect-to={address}:{port}", *arguments]
    output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    finished, codes = _FINISHED.search(output), _CODES.search(output)
    if not finished or not codes or any(int(count) for count in codes.groups()[1:]):
        return None
    return float(finished[1])
