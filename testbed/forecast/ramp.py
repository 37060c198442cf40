"""How the new balancer fills: connections and TLS handshakes per second, and capacity units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from testbed.forecast.capacity_units import CapacityUnits, Load
from testbed.forecast.drain_forecast import Drain
from testbed.forecast.leaving import Side, reconnect_period

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Ramp:
    """How the new balancer fills.

    Attributes:
        new: connections that are opened in each second, each with a full TLS handshake.
        units: capacity units of each minute.
    """

    new: Sequence[float] = field(repr=False)
    units: Sequence[CapacityUnits] = field(repr=False)

    @property
    def peak(self) -> tuple[int, float]:
        """The second with the most new connections, and how many."""
        second = max(range(len(self.new)), key=lambda at: self.new[at])
        return second, self.new[second]

    @property
    def most_units(self) -> CapacityUnits:
        """The most that each dimension needs in any minute."""
        return CapacityUnits(
            *(max(getattr(one, name) for one in self.units) for name in CapacityUnits.__dataclass_fields__)
        )

    @property
    def peak_units(self) -> tuple[int, CapacityUnits]:
        """The minute that needs the most capacity units, and what it needs."""
        minute = max(range(len(self.units)), key=lambda at: self.units[at].needed)
        return minute, self.units[minute]


def ramp(drain: Drain, new: Side, *, every: float, bytes_per_request: float, rules: int) -> Ramp:
    """Forecast how the clients that leave the old balancer fill the new one.

    Args:
        drain: who leaves when.
        new: the balancer that they come to.
        every: seconds between two requests of a client whose part does not say.
        bytes_per_request: of a request and its answer together.
        rules: that the new balancer has at a listener.
    """
    horizon = len(drain.connections) - 1
    opened, requests, active = ([0.0] * horizon for _ in range(3))
    for part, arrivals in zip(drain.parts, drain.arrivals, strict=True):
        spacing = part.part.requests_every or every
        period = reconnect_period(part.part, new, spacing)
        per_second = arrivals.seconds
        clients = arrivals.sums()[1:]
        if period < 1:
            mine: Sequence[float] = [one / period for one in clients]
        elif period < horizon:
            mine = arrivals.repeated(period).seconds
        else:
            mine = per_second
        open_share = min(1.0, min(part.part.model.max_idle, new.idle) / spacing)
        for second in range(horizon):
            opened[second] += mine[second]
            requests[second] += clients[second] / spacing
            active[second] += clients[second] * (open_share if part.part.model.keeps_connection else 0.0)
    return Ramp(opened, tuple(_by_minute(opened, active, requests, bytes_per_request, rules)))


def _by_minute(
    opened: Sequence[float],
    active: Sequence[float],
    requests: Sequence[float],
    bytes_per_request: float,
    rules: int,
) -> list[CapacityUnits]:
    minutes = []
    for start in range(0, len(opened), _MINUTE):
        seconds = slice(start, start + _MINUTE)
        length = len(opened[seconds])
        rate = sum(requests[seconds]) / length
        minutes.append(
            Load(
                new_connections=sum(opened[seconds]) / length,
                # A connection counts for the minute in which it was open at all.
                active_connections=active[seconds][0] + sum(opened[seconds]),
                bytes_per_hour=rate * bytes_per_request * 3600,
                rule_evaluations=Load.evaluations(rate, rules),
            ).units()
        )
    return minutes
