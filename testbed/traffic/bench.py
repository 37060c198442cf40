"""Measures the generator against what answers at a name, and h2load against the same address."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from testbed.journal import Request, TrafficStopped, read
from testbed.runtime.process import Process
from testbed.settings import PATIENCE
from testbed.traffic import process
from testbed.traffic.plan import LONG, Kind, Mix, TrafficPlan

LAG_LIMIT = 0.005
"""Start lag (wall seconds, 99th percentile) up to which a rate counts as held."""
UNARY = Mix(grpc_server_stream=0.0, grpc_client_stream=0.0, grpc_bidi=0.0, rest_events=0.0)
"""The default mix without streams, which h2load cannot send."""
_GET_FOOT_1 = b"\x00\x00\x00\x00\x08\x0a\x06foot-1"
"""A gRPC frame: uncompressed, 8 bytes, field 1 of GetMeasurementRequest."""
_FINISHED = re.compile(r"finished in [^,]+, ([0-9.]+) req/s")
_CODES = re.compile(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx")


@dataclass(frozen=True, slots=True)
class Measured:
    """A rate that was asked for, and what became of it.

    Attributes:
        rate: requests per second that the schedule had.
        answered: requests per second that were answered well, from the first start to the last answer.
        lag: start lag, 99th percentile, wall seconds.
        lost: requests that were failed, unknown or never started.
    """

    rate: float
    answered: float
    lag: float
    lost: int

    @property
    def is_held(self) -> bool:
        """Whether the schedule was kept and nothing was lost."""
        return self.lost == 0 and self.lag <= LAG_LIMIT


def measure(plan: TrafficPlan, seconds: float) -> Measured:
    """Send a plan's traffic for wall `seconds` and account for it; the plan's journal is not used.

    Raises:
        Missing: the generator could not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        plan = dataclasses.replace(plan, journal=Path(folder) / "journal.ndjson", paused=False)
        with Process(process.command(plan), Path(folder)) as generator:
            generator.wait_until(lambda: process.is_ready(generator))
            threading.Event().wait(seconds)
            generator.tell("stop")
            generator.wait(PATIENCE.request)
        requests: list[Request] = []
        lost = 0
        for event in read(plan.journal):
            if isinstance(event, Request):
                requests.append(event)
                lost += event.outcome != "ok"
            elif isinstance(event, TrafficStopped):
                lost += event.never_started
    if not requests:
        return Measured(plan.rate, 0.0, 0.0, lost)
    lags = sorted(request.sent - request.intended for request in requests)
    taken = max(request.time for request in requests) - min(request.sent for request in requests)
    good = sum(request.outcome == "ok" for request in requests)
    return Measured(plan.rate, good / taken, lags[int(len(lags) * 0.99)], lost)


def ceiling(plan: TrafficPlan, seconds: float, *, step: float = 1.25) -> Iterator[Measured]:
    """Measure rising rates of unary requests, from the plan's, until one loses requests or falls behind.

    The best `answered` of those that lost nothing is the throughput ceiling.
    """
    plan = dataclasses.replace(plan, mix=UNARY)
    while True:
        measured = measure(plan, seconds)
        yield measured
        if measured.lost or measured.answered < 0.9 * measured.rate:
            return
        plan = dataclasses.replace(plan, rate=plan.rate * step)


def h2load(address: str, plan: TrafficPlan, seconds: float) -> float | None:
    """Requests per second that h2load reaches at an address with the mix of `ceiling`; None if it is
    not installed or not all answers were good.

    gRPC and REST are measured one after the other and put together by their shares of the mix.
    """
    if not shutil.which("h2load"):
        return None
    weights = UNARY.weights()
    total = sum(weight for kind, weight in weights.items() if kind not in LONG)
    grpc_share = weights[Kind.GRPC_UNARY] / total
    url = f"https://{plan.address}"
    with tempfile.NamedTemporaryFile() as body:
        body.write(_GET_FOOT_1)
        body.flush()
        grpc_arguments = ["-m", "16", "-c", str(plan.app_clients), "-d", body.name]
        grpc_arguments += ["-H", "content-type: application/grpc", "-H", "te: trailers"]
        grpc_arguments.append(f"{url}/measurement.v1.MeasurementService/GetMeasurement")
        grpc_rate = _h2load(address, plan.port, seconds, grpc_arguments)
    rest_arguments = ["--h1", "-c", str(16 * plan.server_clients), f"{url}/measurements/foot-1"]
    rest_rate = _h2load(address, plan.port, seconds, rest_arguments)
    if not grpc_rate or not rest_rate:
        return None
    return 1 / (grpc_share / grpc_rate + (1 - grpc_share) / rest_rate)


def one_at_a_time(address: str, port: int, url: str, seconds: float) -> float | None:
    """Requests per second of a closed loop of one over HTTP/2; None as with `h2load`."""
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
