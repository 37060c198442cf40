"""Whether a run did what the forecast says of it: connections on the old balancer, minute by minute.

The forecast starts from what the run had when the alias moved, each connection with its own age, and knows
nothing of what came after. gRPC clients that had none then, but had looked up, count with their chance to
connect to the old balancer yet. A difference is a finding about the models, or about this machine; the
verdict on the cutover does not depend on it.

The run sees the end of a gRPC connection at the next scan of its sockets (`PATIENCE.socket_scan`). The two
are compared as exactly as that: of the forecast's values from so much before a minute to so much after it,
the nearest counts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed import journal
from testbed.balancer_identity import phrase
from testbed.client_models.catalogue import MODELS
from testbed.client_models.client_model import NEVER, LookUp
from testbed.client_models.population import Part
from testbed.forecast.drain_forecast import still_open
from testbed.forecast.leaving import Side, leaving, reconnect_period
from testbed.settings import PATIENCE
from testbed.verdict.drains import ClientConnection, client_connections
from testbed.verdict.history import History
from testbed.verdict.moments import Move
from testbed.verdict.phases import Tally

FEWEST = 200
"""Connections. Of fewer, one that differs is too large a share."""
ALLOWED = 0.10
"""Of the connections that the old balancer had."""
_MINUTE = 60
_SHORTEST = 0.01
"""Seconds between two requests; shorter ones are as good as none."""


@dataclass(frozen=True, slots=True)
class Minute:
    """Connections on the old balancer at a production minute after the move."""

    minute: int
    forecast: float
    measured: int


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """The forecast of one drain beside what happened.

    Attributes:
        origin: the balancer that the name left.
        connections: how many it had then.
        minutes: each production minute of the drain.
    """

    origin: str
    connections: int
    minutes: tuple[Minute, ...] = field(repr=False)

    @property
    def is_checked(self) -> bool:
        """False if there were too few connections to tell."""
        return self.connections >= FEWEST and bool(self.minutes)

    @property
    def worst(self) -> Minute | None:
        """The minute with the largest difference."""
        return max(self.minutes, key=lambda one: abs(one.forecast - one.measured), default=None)

    @property
    def largest_difference(self) -> float:
        """The largest difference, as a share of the connections."""
        worst = self.worst
        return abs(worst.forecast - worst.measured) / self.connections if worst and self.connections else 0.0

    @property
    def holds(self) -> bool | None:
        """Whether the forecast held; None if it cannot be checked."""
        return self.largest_difference <= ALLOWED if self.is_checked else None

    @property
    def sentence(self) -> str:
        """The check in one sentence."""
        name = phrase(self.origin)
        if not self.is_checked:
            few = f"of fewer than {FEWEST} connections ({self.connections} here) one counts for too much"
            return f"The forecast of the drain of {name} cannot be checked: {few}"
        worst = self.worst
        assert worst is not None
        off = f"{self.largest_difference * 100:.0f} % of {self.connections} connections"
        at = f"minute {worst.minute}: forecast {worst.forecast:.0f}, measured {worst.measured}"
        if self.holds:
            return f"The forecast of the drain of {name} held within {off} ({at})"
        return f"The forecast of the drain of {name} missed by {off} ({at})"


@dataclass(frozen=True, slots=True)
class Played:
    """What the run had.

    Attributes:
        clients: who called, in the order in which they were numbered.
        connection_age: maximum age at the targets, in production seconds; None for none.
        speed: production seconds in a wall second.
        every: production seconds between two requests of a client without a pace of its own, of gRPC and
            of the others.
    """

    clients: Sequence[journal.Clients]
    connection_age: float | None
    speed: float
    every: tuple[float, float]

    @classmethod
    def of(cls, history: History, counted: Tally) -> Played | None:
        """Return what a run had; None if its journal does not say who called, or nobody did."""
        rate = history.runs[0].rate if history.runs else 0.0
        total = counted.all.outcomes.total
        if not history.clients or not rate or not total:
            return None

        def every(*, grpc: bool) -> float:
            requests = sum(
                share.outcomes.total
                for (_, kind), share in counted.by_protocol.items()
                if (kind == "grpc") == grpc
            )
            callers = [one for one in history.clients if (one.protocol == "grpc") == grpc]
            paced = sum(
                one.count * history.speed / one.requests_every for one in callers if one.requests_every
            )
            busy = sum(one.count for one in callers if not one.requests_every)
            return busy * history.speed / max(rate * max(1, requests) / total - paced, _SHORTEST)

        intervals = (every(grpc=True), every(grpc=False))
        return cls(history.clients, history.clients[0].connection_age, history.speed, intervals)

    def every_of(self, part: Part) -> float:
        """Return the production seconds between two requests of a client of a part."""
        busy = self.every[0] if part.model.protocol == "grpc" else self.every[1]
        return max(part.requests_every or busy, _SHORTEST)

    @property
    def side(self) -> Side:
        """What ends connections at the old balancer."""
        return Side.nlb(self.connection_age)

    def part_of(self, client: str) -> Part | None:
        """Return how a client behaves, by its name; None if the name is that of no client of the run."""
        model = journal.client_model(client)
        mine = [one for one in self.clients if one.model == model and model in MODELS]
        number = int(client.rpartition("-")[2]) if client != model else 0
        for one in mine:
            if number < one.count or one is mine[-1]:
                return Part(MODELS[model], 1.0, one.resolver, requests_every=one.requests_every)
            number -= one.count
        return None


def live_checks(history: History, counted: Tally, moves: Iterable[Move]) -> tuple[LiveCheck, ...]:
    """Return the check of each drain of an NLB; what limits the connections of an ALB no journal says."""
    had = Played.of(history, counted)
    types = {name: one.type for name, one in history.named_balancers().by_name.items()}
    if had is None:
        return ()
    spans = client_connections(history)
    return tuple(
        live_check(move.origin, move.time, move.drained_until, spans, had)
        for move in moves
        if types.get(move.origin) == "nlb"
    )


def live_check(
    origin: str, start: float, until: float, spans: Sequence[ClientConnection], had: Played
) -> LiveCheck:
    """Compare the forecast of an NLB's drain with what the connections did.

    Args:
        origin: the balancer that the name left.
        start, until: wall times: when the alias moved, and until when the drain was watched.
        spans: the connections of the run.
        had: what the run had.
    """
    mine = [one for one in spans if one.balancer == origin and one.opened <= until]
    open_then = [one for one in mine if _is_open(one, start)]
    horizon = int((until - start) * had.speed)
    expected = [0.0] * (horizon + 1)
    ages: dict[Part, list[float]] = {}
    for one in open_then:
        if part := had.part_of(one.client):
            ages.setdefault(part, []).append((start - one.opened) * had.speed)
    for part, its in ages.items():
        for second, still in enumerate(_expected(part, its, horizon, had)):
            expected[second] += still
    for part, idle in _between_connections(spans, start, had):
        for second, still in enumerate(_expected_anew(part, idle, horizon, had)):
            expected[second] += still
    sight = math.ceil(PATIENCE.socket_scan * had.speed)
    minutes = []
    for at in range(0, horizon + 1, _MINUTE):
        measured = sum(_is_open(one, start + at / had.speed) for one in mine)
        seen = expected[max(0, at - sight) : at + sight + 1]
        minutes.append(Minute(at // _MINUTE, min(max(measured, min(seen)), max(seen)), measured))
    return LiveCheck(origin, len(open_then), tuple(minutes))


def _between_connections(
    spans: Iterable[ClientConnection], start: float, had: Played
) -> Iterator[tuple[Part, int]]:
    """Yield how many clients have looked up, and connect for their next request only.

    gRPC looks up when its connection is lost; what it got before the move it uses after it. Each has one
    connection, if any, and it carries the name of the model only.
    """
    there = Counter(journal.client_model(one.client) for one in spans if _is_open(one, start))
    for one in had.clients:
        part = had.part_of(one.model)
        if part and part.model.looks_up is LookUp.LOSS:
            idle = max(0, one.count - there[one.model])
            there[one.model] = max(0, there[one.model] - one.count)
            yield part, idle


def _expected_anew(part: Part, number: int, horizon: int, had: Played) -> Iterator[float]:
    """Yield how many of these clients are connected at each second: they take turns to send."""
    age = had.side.age
    cycle = reconnect_period(part, had.side, had.every_of(part))
    gap = had.every_of(part) if cycle == NEVER else max(cycle - age, 1.0)
    for second in range(horizon + 1):
        yield number * (min(1.0, second / gap) - min(1.0, max(0.0, second - age) / gap))


def _expected(part: Part, ages: Sequence[float], horizon: int, had: Played) -> Iterator[float]:
    return still_open(leaving(part, had.side, had.every_of(part), ages=ages), len(ages), horizon)


def _is_open(connection: ClientConnection, time: float) -> bool:
    return connection.opened <= time and (connection.closed is None or connection.closed > time)


def as_json(checks: Iterable[LiveCheck]) -> dict[str, Any]:
    """Return the checks as the `forecast` of `summary.json`."""
    return {
        "drains": [
            {
                "from": one.origin,
                "connections": one.connections,
                "checked": one.is_checked,
                "held": one.holds,
                "allowed": ALLOWED,
                "largest_difference": round(one.largest_difference, 4),
                "text": one.sentence,
                "minutes": [
                    {"minute": at.minute, "forecast": round(at.forecast, 1), "measured": at.measured}
                    for at in one.minutes
                ],
            }
            for one in checks
        ]
    }
