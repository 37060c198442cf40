"""Which connections of which balancers end when a target's time is over (pure).

| a target                  | ALB                           | NLB                                         |
|---------------------------|-------------------------------|---------------------------------------------|
| has drained for its delay | cut: 502 to what is in flight | flows on; cut if `AFTER_DRAINING` is set    |
| becomes unhealthy         | requests in flight go on      | cut, unless told otherwise or failing open  |

[ALB guide, "Deregistration delay"; NLB guide, "Target groups", deregistration delay and connection
termination for unhealthy targets]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from testbed.load_balancers.elbv2_state import LoadBalancer, State, Target, TargetGroup
from testbed.load_balancers.endpoints import Address, Resolve, States, addresses, endpoints
from testbed.load_balancers.target_health import State as Health

AFTER_DRAINING = "deregistration_delay.connection_termination.enabled"
WHEN_UNHEALTHY = "target_health_state.unhealthy.connection_termination.enabled"


@dataclass(frozen=True, slots=True)
class Ending:
    """The connections of a balancer's nodes to these addresses are cut."""

    balancer: LoadBalancer
    targets: frozenset[Address]


def endings(
    group: TargetGroup, target: Target, over: Health, state: State, states: States, resolve: Resolve
) -> Iterator[Ending]:
    """What ends with a target.

    An address that the balancer still uses for another target or group is spared: its connections cannot be
    told apart.

    Args:
        group: as it stands now.
        target: whose time is over.
        over: DRAINING if its delay has run out, UNHEALTHY if it has just become so.
        state: of ELBv2 now.
        states: of all targets now.
        resolve: instance targets → addresses.
    """
    for balancer in state.balancers:
        if not balancer.is_active or group.arn not in balancer.groups or not _cuts(balancer, group, over):
            continue
        groups = [state.groups[arn] for arn in balancer.groups if arn in state.groups]
        kept = {
            (one.address, one.port)
            for other in groups
            for one in endpoints(other, states, resolve, other.targets)
            if one.open or over is Health.DRAINING
        }
        gone = frozenset(addresses(group, target, resolve)) - kept
        if gone:
            yield Ending(balancer, gone)


def _cuts(balancer: LoadBalancer, group: TargetGroup, over: Health) -> bool:
    if balancer.type == "alb":
        return over is Health.DRAINING
    if over is Health.DRAINING:
        return group.attributes.get(AFTER_DRAINING) == "true"
    return group.attributes.get(WHEN_UNHEALTHY) != "false"
