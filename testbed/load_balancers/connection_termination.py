"""Decides which connections a balancer ends when a target has drained or becomes unhealthy (pure).

| a target                  | ALB                           | NLB                                         |
|---------------------------|-------------------------------|---------------------------------------------|
| has drained for its delay | cut; requests in flight: 502  | kept; cut if `AFTER_DRAINING` is true       |
| becomes unhealthy         | kept, requests in flight too  | cut, unless off or failing open             |

[ALB guide, "Deregistration delay"; NLB guide, "Target groups", deregistration delay and connection
termination for unhealthy targets]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from testbed.load_balancers.elbv2_state import Elbv2State, LoadBalancer, Target, TargetGroup
from testbed.load_balancers.eligible_targets import Address, Resolve, States, addresses, endpoints
from testbed.load_balancers.target_health_state import HealthState

AFTER_DRAINING = "deregistration_delay.connection_termination.enabled"
WHEN_UNHEALTHY = "target_health_state.unhealthy.connection_termination.enabled"


@dataclass(frozen=True, slots=True)
class Ending:
    """The connections of a balancer's nodes to these addresses must be cut."""

    balancer: LoadBalancer
    targets: frozenset[Address]


def endings(
    group: TargetGroup, target: Target, over: HealthState, state: Elbv2State, states: States, resolve: Resolve
) -> Iterator[Ending]:
    """Yield the connections that end with a target, by balancer.

    An address that the balancer still uses for another target or group is left alone, because nothing
    distinguishes the connections of the two.

    Args:
        group: the group of the target, as it is now.
        target: the target that has drained or failed.
        over: DRAINING if its delay has passed, UNHEALTHY if it has just become unhealthy.
        state: the current state of ELBv2.
        states: the current states of all targets.
        resolve: addresses behind an instance target.
    """
    for balancer in state.balancers:
        if not balancer.is_active or group.arn not in balancer.groups or not _cuts(balancer, group, over):
            continue
        groups = [state.groups[arn] for arn in balancer.groups if arn in state.groups]
        kept = {
            (endpoint.address, endpoint.port)
            for other in groups
            for endpoint in endpoints(other, states, resolve, other.targets)
            if endpoint.open or over is HealthState.DRAINING
        }
        gone = frozenset(addresses(group, target, resolve)) - kept
        if gone:
            yield Ending(balancer, gone)


def _cuts(balancer: LoadBalancer, group: TargetGroup, over: HealthState) -> bool:
    if balancer.type == "alb":
        return over is HealthState.DRAINING
    if over is HealthState.DRAINING:
        return group.attributes.get(AFTER_DRAINING) == "true"
    return group.attributes.get(WHEN_UNHEALTHY) != "false"
