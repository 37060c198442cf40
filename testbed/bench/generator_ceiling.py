"""Measures the traffic generator: what it sends at a rate, and the highest rate that it holds."""

from __future__ import annotations

import dataclasses
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from testbed.child_process import Process
from testbed.journal import Request, TrafficStopped, read
from testbed.runtime.components import traffic_generator
from testbed.settings import PATIENCE
from testbed.traffic.traffic_plan import Mix, TrafficPlan

LAG_LIMIT = 0.005
"""Start lag (wall seconds, 99th percentile) up to which a rate counts as held."""
UNARY = Mix(grpc_server_stream=0.0, grpc_client_stream=0.0, grpc_bidi=0.0, rest_events=0.0)
"""The default mix without streams, which h2load cannot send."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The result of sending at a rate.

    Attributes:
        rate: requests per second of the schedule.
        answered: successful requests per second, from the first start to the last answer.
        lag: 99th percentile of the start lag, wall seconds.
        lost: requests that failed, are unknown or never started.
    """

    rate: float
    answered: float
    lag: float
    lost: int

    @property
    def is_held(self) -> bool:
        """True if the schedule was kept and no request was lost."""
        return self.lost == 0 and self.lag <= LAG_LIMIT


def measure(plan: TrafficPlan, seconds: float) -> Measured:
    """Send the traffic of a plan for wall `seconds` and count it; the plan's journal is not used.

    Raises:
        Missing: the generator could not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        plan = dataclasses.replace(plan, journal=Path(folder) / "journal.ndjson", paused=False)
        with Process(traffic_generator.command(plan), Path(folder)) as generator:
            generator.wait_until(lambda: traffic_generator.is_ready(generator))
            threading.Event().wait(seconds)
            generator.send("stop")
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
    """Measure rising rates of unary requests, from the plan's on, until one loses requests or falls behind.

    The throughput ceiling is the best `answered` of the rates that lost no request.
    """
    plan = dataclasses.replace(plan, mix=UNARY)
    while True:
        measured = measure(plan, seconds)
        yield measured
        if measured.lost or measured.answered < 0.9 * measured.rate:
            return
        plan = dataclasses.replace(plan, rate=plan.rate * step)
