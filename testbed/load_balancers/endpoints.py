"""Which of a target group's targets get new work, as the balancer decides it (pure).

Fail-open is decided here and not by Envoy's panic mode: with no healthy target all registered ones are used
[ALB and NLB guides, "Target group health"], but never those that drain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from testbed.load_balancers.elbv2_state import Target, TargetGroup

Address = tuple[str, int]
Resolve = Callable[[str, int], Sequence[Address]]
"""(instance id, node port) → addresses of the pods that kube-proxy on that node would choose from."""
NodeHealth = Callable[[str, int], bool | None]
"""(instance id, port) → whether kube-proxy says there that the node has pods of the Service whose
`healthCheckNodePort` that is; None if it is no such port."""
States = Mapping[tuple[str, Target], str]
"""State of a target as describe-target-health names it, by target group ARN and target."""


ACCEPTING = frozenset({"healthy", "unavailable"})
"""States in which a target gets new work; one that nobody checks is `unavailable`."""


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """One address to connect to. One that is not `open` gets no new work but keeps what it has."""

    address: str
    port: int
    open: bool


def nowhere(_instance: str, _port: int) -> Sequence[Address]:
    """Resolves no instance: for runs that have none."""
    return ()


def unknown(_instance: str, _port: int) -> bool | None:
    """Knows no health check node port."""
    return None


def endpoints(
    group: TargetGroup, states: States, resolve: Resolve, targets: Iterable[Target]
) -> tuple[Endpoint, ...]:
    """The endpoints of some targets of a group, each address once."""
    chosen: dict[Address, bool] = {}
    registered = list(targets)
    open_targets = [
        target for target in registered if states.get((group.arn, target), "healthy") in ACCEPTING
    ]
    accepting = set(open_targets or registered)
    draining = [target for (arn, target), state in states.items() if arn == group.arn and state == "draining"]
    # One that was never healthy has no work to keep; left out, its slow start begins when it is healthy.
    known = [target for target in registered if target in accepting or states[group.arn, target] != "initial"]
    for target in [*known, *draining]:
        for address in addresses(group, target, resolve):
            chosen[address] = chosen.get(address, False) or target in accepting
    return tuple(sorted(Endpoint(host, port, is_open) for (host, port), is_open in chosen.items()))


def addresses(group: TargetGroup, target: Target, resolve: Resolve) -> Sequence[Address]:
    """Where a target is reached: an IP as it is, an instance through its node port."""
    if group.target_type == "instance":
        return resolve(target.id, target.port)
    return ((target.id, target.port),)


def in_zone(targets: Sequence[Target], zones: Sequence[str], zone: int) -> list[Target]:
    """The targets of one zone; those whose zone nobody knows are dealt out in turn."""
    homeless = [target for target in targets if target.zone not in zones]
    dealt = {target: index % len(zones) for index, target in enumerate(homeless)}
    return [target for target in targets if dealt.get(target, -1) == zone or target.zone == zones[zone]]
