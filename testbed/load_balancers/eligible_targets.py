"""Decides which targets of a group get new work (pure).

Fail-open is decided here and not by Envoy's panic mode: without a healthy target the balancer uses all
registered targets [ALB and NLB guides, "Target group health"], but never a draining one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from testbed.load_balancers.elbv2_state import Target, TargetGroup

Address = tuple[str, int]
Resolve = Callable[[str, int], Sequence[Address]]
"""(instance id, node port) → addresses of the pods that kube-proxy on that node chooses from; or (address of
a pod, port) → where its port is bound here, () if the address is no pod's."""
NodeHealth = Callable[[str, int], bool | None]
"""(instance id, port) → True if kube-proxy reports there that the node has pods of the Service with this
`healthCheckNodePort`, False if it has none; None if the port is no `healthCheckNodePort`."""
States = Mapping[tuple[str, Target], str]
"""State of a target, in the words of DescribeTargetHealth, by target group ARN and target."""

ACCEPTING = frozenset({"healthy", "unavailable"})
"""States in which a target gets new work; a target without health checks is `unavailable`."""


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """An address to connect to. An endpoint that is not `open` gets no new work but keeps its connections."""

    address: str
    port: int
    open: bool


def nowhere(_instance: str, _port: int) -> Sequence[Address]:
    """Resolve no instance: for runs without instance targets."""
    return ()


def unknown(_instance: str, _port: int) -> bool | None:
    """Report that a port is no health check node port."""
    return None


def endpoints(
    group: TargetGroup, states: States, resolve: Resolve, targets: Iterable[Target]
) -> tuple[Endpoint, ...]:
    """Return the endpoints of some targets of a group, each address once."""
    chosen: dict[Address, bool] = {}
    registered = list(targets)
    open_targets = [
        target for target in registered if states.get((group.arn, target), "healthy") in ACCEPTING
    ]
    accepting = set(open_targets or registered)
    draining = [target for (arn, target), state in states.items() if arn == group.arn and state == "draining"]
    # A target that was never healthy has no connections to keep. Left out until it is healthy, it starts its
    # slow start then.
    known = [target for target in registered if target in accepting or states[group.arn, target] != "initial"]
    for target in [*known, *draining]:
        for address in addresses(group, target, resolve):
            # Two targets may share an address, such as two instances whose node ports lead to the same pods;
            # one that accepts is enough.
            chosen[address] = chosen.get(address, False) or target in accepting
    return tuple(sorted(Endpoint(host, port, is_open) for (host, port), is_open in chosen.items()))


def addresses(group: TargetGroup, target: Target, resolve: Resolve) -> Sequence[Address]:
    """Return the addresses of a target: an IP is its own, an instance has those behind its node port."""
    found = resolve(target.id, target.port)
    return found if group.target_type == "instance" else found or ((target.id, target.port),)


def in_zone(targets: Sequence[Target], zones: Sequence[str], zone: int) -> list[Target]:
    """Return the targets of one zone. Targets of unknown zones are distributed over all zones in turn."""
    zoneless = [target for target in targets if target.zone not in zones]
    dealt = {target: index % len(zones) for index, target in enumerate(zoneless)}
    return [target for target in targets if dealt.get(target, -1) == zone or target.zone == zones[zone]]
