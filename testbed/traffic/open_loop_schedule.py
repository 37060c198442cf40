"""The schedule of the requests: endless, and independent of the answers.

The times depend on rate and seed alone. A generator that waits for answers sends less while the system is
slow, and so misses exactly the outage that it should measure (coordinated omission).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from testbed.traffic.calls import Call
from testbed.traffic.traffic_plan import LONG, RequestKind, TrafficPlan, kind_of, stream_factor


@dataclass(slots=True)
class Arrival:
    """A scheduled request.

    Attributes:
        at: wall seconds since the schedule began.
        kind: kind of the request.
        messages: number of messages of a stream; 1 for any other request.
        call: call of the user's own service; None for the sample service.
    """

    at: float
    kind: RequestKind
    messages: int
    call: Call | None = None


def arrivals(plan: TrafficPlan, rate: float, generation: int = 0) -> Iterator[Arrival]:
    """Yield the requests of a plan at a rate, in order of time, without end; none if the rate is 0.

    Args:
        plan: gives the seed, the mix and the lengths of streams.
        rate: requests per wall second; may differ from the plan's.
        generation: number of the schedule in its run, so that a change of rate does not repeat a schedule.
    """
    if rate <= 0:
        return
    draw = random.Random(f"{plan.seed}/{generation}")  # noqa: S311  # repeatable, not secret
    least = max(1, math.floor(plan.stream_least / plan.stream_message))
    most = max(least, math.floor(plan.stream_most / plan.stream_message))
    mean = plan.clock.scaled((least + most) / 2 * plan.stream_message)
    choices = _own_calls(plan, rate, mean) if plan.calls else _sample_calls(plan, rate, mean)
    cumulative = list(accumulate(share for _, _, share in choices))
    uniform = plan.arrivals == "uniform"
    at, number = 0.0, 0
    while True:
        number += 1
        at = number / rate if uniform else at + draw.expovariate(rate)
        kind, call, _ = draw.choices(choices, cum_weights=cumulative)[0]
        # `least` gaps of one message interval each need one message more.
        messages = draw.randint(least, most) + 1 if kind in LONG else 1
        yield Arrival(at, kind, messages, call)


def _sample_calls(
    plan: TrafficPlan, rate: float, mean: float
) -> list[tuple[RequestKind, Call | None, float]]:
    spoken = plan.mix.spoken_by(grpc=plan.grpc_clients > 0, rest=plan.rest_clients > 0)
    mix = spoken.limited(rate, mean, plan.grpc_clients)
    return [(kind, None, share) for kind, share in mix.weights().items()]


def _own_calls(plan: TrafficPlan, rate: float, mean: float) -> list[tuple[RequestKind, Call | None, float]]:
    kinds = [(kind_of(call), call) for call in plan.calls]
    total = sum(call.share for call in plan.calls)
    long = sum(call.share for kind, call in kinds if kind in LONG)
    factor = stream_factor(rate * long / total * mean, plan.grpc_clients)
    return [(kind, call, call.share * (factor if kind in LONG else 1.0)) for kind, call in kinds]
