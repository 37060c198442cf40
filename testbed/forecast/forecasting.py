"""A forecast: the drain of the old balancer, the ramp of the new one, and what to do before the move."""

from __future__ import annotations

from dataclasses import dataclass, field

from testbed.client_models.population import Population
from testbed.errors import BadInput
from testbed.forecast.capacity_units import reservation
from testbed.forecast.drain_forecast import Drain, drain
from testbed.forecast.leaving import Side
from testbed.forecast.ramp import Ramp, ramp
from testbed.settings import PRODUCTION

DAY = 86_400
MOST_CLIENTS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a forecast assumes beside the population.

    Attributes:
        connection_age: maximum age of a connection at the targets behind the old balancer; None for no limit.
        every: seconds between two requests of a client whose part of the population does not say.
        bytes_per_request: of a request and its answer together.
        rules: rules of the new balancer's listener.
        ttl: of the record that moves.
        horizon: seconds to look ahead.
    """

    connection_age: float | None
    every: float = 1.0
    bytes_per_request: float = 2000.0
    rules: int = 10
    ttl: float = PRODUCTION.alias_ttl
    horizon: int = DAY

    @property
    def old(self) -> Side:
        """What ends connections at the old balancer, an NLB."""
        return Side.nlb(self.connection_age)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected.

    Attributes:
        population: who calls.
        clients: how many.
        assumed: under which circumstances.
        drain: how the old balancer empties.
        ramp: how the new one fills.
        reservation: capacity units to reserve before the move; None for none.
    """

    population: Population
    clients: int
    assumed: Circumstances
    drain: Drain = field(repr=False)
    ramp: Ramp = field(repr=False)
    reservation: int | None


def forecast(population: Population, clients: int, assumed: Circumstances) -> Forecast:
    """Forecast what a population does after the alias has moved from an NLB to an ALB.

    Raises:
        BadInput: the number of clients is none that can be forecast.
    """
    if not 0 < clients <= MOST_CLIENTS:
        raise BadInput(f"{clients} clients cannot be forecast", do=f"name 1 to {MOST_CLIENTS}")
    emptied = drain(
        population,
        clients,
        assumed.old,
        every=assumed.every,
        horizon=assumed.horizon,
        ttl=assumed.ttl,
    )
    filled = ramp(
        emptied,
        Side.alb(),
        every=assumed.every,
        bytes_per_request=assumed.bytes_per_request,
        rules=assumed.rules,
    )
    return Forecast(population, clients, assumed, emptied, filled, reservation(filled.units))
