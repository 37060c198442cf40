"""How the old balancer empties: connections second by second, and what each part of the population does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from testbed.client_models.client_model import NEVER
from testbed.client_models.population import Part, Population
from testbed.forecast.leaving import Leaving, Side, leaving
from testbed.forecast.spread import Spread
from testbed.settings import PRODUCTION

_HALF = 0.5
"""Fewer clients than that are none."""
_ROUNDING = 1e-9
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class PartOfDrain:
    """What one part of the population does.

    Attributes:
        part: the part.
        clients: how many it has.
        leaving: when they leave.
    """

    part: Part
    clients: float
    leaving: Leaving

    @property
    def never(self) -> float:
        """How many of its clients never leave."""
        return self.clients * (1 - self.leaving.leavers)


@dataclass(frozen=True, slots=True)
class Drain:
    """How the old balancer empties.

    Attributes:
        parts: in the order of the population.
        connections: how many are open on the old balancer at each second from the move of the alias on.
        arrivals: by part, how many clients begin to use the new balancer in each second.
    """

    parts: tuple[PartOfDrain, ...]
    connections: Sequence[float] = field(repr=False)
    arrivals: Sequence[Spread] = field(repr=False)

    @property
    def began_with(self) -> float:
        """Connections when the alias moved."""
        return self.connections[0]

    @property
    def left(self) -> float:
        """Connections at the horizon."""
        return self.connections[-1]

    @property
    def never(self) -> float:
        """Clients that never leave by themselves."""
        return math.fsum(part.never for part in self.parts)

    @property
    def last(self) -> float | None:
        """Seconds until the last connection is closed; None if some stay beyond the horizon."""
        return self._falls_to(_HALF)

    def left_by(self, share: float) -> float | None:
        """Return the seconds until no more than a share of the connections is left; None if more stay."""
        return self._falls_to(share * self.began_with)

    def _falls_to(self, number: float) -> float | None:
        number += _ROUNDING * self.began_with
        if self.left > number:
            return None
        return float(next(second for second, left in enumerate(self.connections) if left <= number))

    def by_minute(self) -> list[float]:
        """Return how many connections are open at each minute."""
        return list(self.connections[::_MINUTE])


def drain(
    population: Population,
    clients: float,
    old: Side,
    *,
    every: float,
    horizon: int,
    ttl: float = PRODUCTION.alias_ttl,
) -> Drain:
    """Forecast how the old balancer empties.

    Args:
        population: who calls.
        clients: how many, in all.
        old: the balancer that they leave.
        every: seconds between two requests of a client whose part does not say.
        horizon: seconds to look ahead.
        ttl: of the record.
    """
    left = [0.0] * (horizon + 1)
    parts, arrivals = [], []
    for part in population.parts:
        mine = leaving(part, old, every, ttl)
        its = clients * part.share
        arrived = Spread(horizon)
        arrived.add(mine.slices, its)
        for second, still in enumerate(still_open(mine, its * mine.open_share, horizon)):
            left[second] += still
        parts.append(PartOfDrain(part, its, mine))
        arrivals.append(arrived)
    return Drain(tuple(parts), left, tuple(arrivals))


def still_open(mine: Leaving, number: float, horizon: int) -> Iterator[float]:
    """Yield how many of a number of connections are open at each second, from 0 to the horizon."""
    gone = Spread(horizon)
    gone.add(mine.slices, number, later=mine.lingers)
    for closed in gone.sums():
        yield number - closed if number - closed > _ROUNDING * number else 0.0


def why_never(part: PartOfDrain) -> str:
    """Return in words what would make the clients of a part leave that never do; "" if they leave."""
    if part.never < _HALF:
        return ""
    model = part.part.model
    if part.leaving.hold == NEVER:
        return "change their resolver"
    if model.cache.seconds == NEVER and not model.cache.dropped_when_refused:
        return "restart them"
    if model.cache.seconds == NEVER:
        return "remove the old balancer"
    return "end their connections: set a maximum connection age at the targets"
