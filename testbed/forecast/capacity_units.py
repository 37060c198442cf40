"""Capacity units of an Application Load Balancer, and whether a forecast load wants some reserved.

Sources: pricing page of Elastic Load Balancing, "LCU details" (25 new connections per second, 3,000 active
connections per minute, 1 GB per hour, 1,000 rule evaluations per second beyond 10 rules; the greatest
counts); ALB guide, "Capacity reservations": one suits a migration between load balancers. AWS publishes no
figure for what a new balancer takes at once. Users see it lag when the load doubles within five minutes, so
that is the rule here; for one that was idle, any load is more than a doubling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_FREE_RULES = 10
_GIGABYTE = 1e9
_NEW, _ACTIVE, _EVALUATIONS = 25.0, 3000.0, 1000.0
SMALLEST_RESERVATION = 100
"""Capacity units. That of the example in the ALB guide; a smaller load needs no reservation."""
_ROUNDING = 1e-6
DOUBLING = 5
"""Minutes."""


@dataclass(frozen=True, slots=True)
class CapacityUnits:
    """What each dimension of a load needs, in capacity units."""

    new_connections: float
    active_connections: float
    bytes: float
    rule_evaluations: float

    @property
    def needed(self) -> float:
        """The units that count: those of the greatest dimension."""
        return max(self.new_connections, self.active_connections, self.bytes, self.rule_evaluations)

    @property
    def greatest(self) -> str:
        """The dimension that needs the most, in words."""
        dimensions = {
            "new connections": self.new_connections,
            "active connections": self.active_connections,
            "bytes": self.bytes,
            "rule evaluations": self.rule_evaluations,
        }
        return max(dimensions, key=lambda name: dimensions[name])


@dataclass(frozen=True, slots=True)
class Load:
    """The load of a balancer: new connections per second, active per minute, bytes per hour, evaluations per
    second beyond the free rules.
    """

    new_connections: float
    active_connections: float
    bytes_per_hour: float
    rule_evaluations: float

    @staticmethod
    def evaluations(requests: float, rules: int) -> float:
        """Return the rule evaluations that count, for requests per second and the rules of a listener."""
        return requests * max(0, rules - _FREE_RULES)

    def units(self) -> CapacityUnits:
        """Return what the load needs."""
        return CapacityUnits(
            self.new_connections / _NEW,
            self.active_connections / _ACTIVE,
            self.bytes_per_hour / _GIGABYTE,
            self.rule_evaluations / _EVALUATIONS,
        )


def reservation(units: Sequence[CapacityUnits]) -> int | None:
    """Return the capacity units to reserve before a ramp; None if it needs no reservation.

    Args:
        units: of each minute of the ramp, from an idle balancer on.
    """
    most = max((one.needed for one in units), default=0.0)
    if most < SMALLEST_RESERVATION:
        return None
    before = 0.0
    for minute, one in enumerate(units):
        before = units[minute - DOUBLING].needed if minute >= DOUBLING else 0.0
        if one.needed >= SMALLEST_RESERVATION and one.needed > 2 * before:
            return math.ceil(most - _ROUNDING)
    return None
