"""Capacity reservations of load balancers: pending at first, then provisioned.

Sources: ELBv2 API reference, ModifyCapacityReservation and DescribeCapacityReservation; ALB guide, "Capacity
reservations" (two decreases a day). What a reservation costs and what it changes under load is not emulated.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.aws.answers import Refusal
from testbed.clock import Clock
from testbed.settings import PRODUCTION

DECREASES = 2
"""Decreases of a balancer's reservation that are left at the beginning of a day."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """The reservation of a balancer; `modified` is production time, `at` wall time since the epoch."""

    units: int
    modified: float
    at: float
    decreases: int = DECREASES


@dataclass(slots=True)
class CapacityReservations:
    """The reservations of an account, by balancer."""

    clock: Clock
    _made: dict[str, Reservation] = field(init=False, default_factory=dict)

    def modify(self, balancer: str, parameters: Mapping[str, Any]) -> Refusal | None:
        """Reserve, or end a reservation; return AWS's refusal if there is one."""
        asked = (parameters.get("MinimumLoadBalancerCapacity") or {}).get("CapacityUnits")
        if parameters.get("ResetCapacityReservation") == "true":
            asked = "0"
        if asked is None:  # text by analogy
            what = "MinimumLoadBalancerCapacity or ResetCapacityReservation must be specified"
            return Refusal("InvalidConfigurationRequest", what)
        before = self._of(balancer)
        if self._is_pending(before):
            return Refusal("CapacityReservationPending", "There is a pending capacity reservation.")
        falls = 0 < int(asked) < before.units
        if falls and not before.decreases:
            return Refusal(
                "CapacityDecreaseRequestLimitExceeded",
                f"Capacity decrease request limit exceeded for load balancer '{balancer}'",
            )
        left = before.decreases - falls
        self._made[balancer] = Reservation(int(asked), self.clock.now(), self.clock.wall(), left)
        return None

    def described(self, balancer: str, zones: Sequence[str]) -> dict[str, Any]:
        """Return the fields of an answer, in the order of the API. An ALB's capacity is not zonal."""
        made = self._of(balancer)
        is_pending = self._is_pending(made)
        state = {
            "State": {"Code": "pending" if is_pending else "provisioned"},
            "EffectiveCapacityUnits": 0 if is_pending else made.units,
        }
        is_zonal = ":loadbalancer/net/" in balancer
        zonal = [{**state, "AvailabilityZone": zone} for zone in zones] if is_zonal else [state]
        moment = datetime.datetime.fromtimestamp(made.at, tz=datetime.UTC)
        return {
            "LastModifiedTime": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
            "DecreaseRequestsRemaining": made.decreases,
            "MinimumLoadBalancerCapacity": {"CapacityUnits": made.units},
            "CapacityReservationState": zonal,
        }

    def _is_pending(self, made: Reservation) -> bool:
        return made.units > 0 and self.clock.now() - made.modified < PRODUCTION.capacity_provisioning

    def _of(self, balancer: str) -> Reservation:
        return self._made.setdefault(balancer, Reservation(0, self.clock.now(), self.clock.wall()))
