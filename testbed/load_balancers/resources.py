"""ELBv2 state → all resources of one Envoy: the NLBs' or the ALBs' (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from google.protobuf.message import Message

from testbed.load_balancers.clusters import assignment, cluster, cluster_name
from testbed.load_balancers.elbv2_state import Listener, LoadBalancer, State, Target, TargetGroup
from testbed.load_balancers.endpoints import ACCEPTING, Resolve, States, endpoints, in_zone
from testbed.load_balancers.listeners import Surroundings, default_secret, listener, route_name
from testbed.load_balancers.routes import table

Kind = Literal["nlb", "alb"]
ByName = dict[str, Message]


@dataclass(frozen=True, slots=True)
class Resources:
    """What one Envoy is told, by resource type and name."""

    clusters: ByName = field(default_factory=dict)
    endpoints: ByName = field(default_factory=dict)
    listeners: ByName = field(default_factory=dict)
    routes: ByName = field(default_factory=dict)
    secrets: ByName = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate chain and its key as PEM."""

    chain: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Sources:
    """Where resources take what is not in the ELBv2 API from.

    Attributes:
        address: (balancer ARN, zone index) → the node's IP.
        resolve: instance targets → addresses.
        certificates: by ARN; a listener without its certificate has none to offer and stays away.
        run: network, clock and files of the run.
    """

    address: Callable[[str, int], str]
    resolve: Resolve
    certificates: Mapping[str, Certificate]
    run: Surroundings


def resources(kind: Kind, state: State, states: States, sources: Sources) -> Resources:
    """The resources of the Envoy that is all balancers of a kind."""
    result = Resources()
    for balancer in state.balancers:
        if balancer.type == kind and balancer.is_active:
            _add(result, balancer, state, states, sources)
    return result


def zones_in_service(balancer: LoadBalancer, state: State, states: States) -> list[int]:
    """The zones whose address is in DNS: one where a group has no healthy target is taken out [NLB guide].

    With no such zone the balancer fails open: all zones that have a target at all. A group without any
    target says nothing about zones.
    """
    every = list(range(len(balancer.zones)))
    if balancer.type == "alb":
        return every
    groups = [group for arn in balancer.groups if (group := state.groups.get(arn)) and group.targets]

    def healthy(zone: int, group: TargetGroup) -> bool:
        targets = _targets(balancer, zone, group)
        return any(states.get((group.arn, target), "healthy") in ACCEPTING for target in targets)

    in_full = [zone for zone in every if all(healthy(zone, group) for group in groups)]
    at_all = [zone for zone in every if any(_targets(balancer, zone, group) for group in groups)]
    return in_full or at_all or every


def _add(result: Resources, balancer: LoadBalancer, state: State, states: States, sources: Sources) -> None:
    groups = [state.groups[arn] for arn in balancer.groups if arn in state.groups]
    for zone in range(len(balancer.zones)):
        address = sources.address(balancer.arn, zone)
        for group in groups:
            name = cluster_name(balancer, zone, group)
            members = endpoints(group, states, sources.resolve, _targets(balancer, zone, group))
            inside = sources.run.network.inside(address)
            result.clusters[name] = cluster(balancer, zone, inside, group, sources.run.clock)
            result.endpoints[name] = assignment(name, members)
        clusters = {group.arn: cluster_name(balancer, zone, group) for group in groups}
        _add_listeners(result, balancer, zone, address, clusters, state, sources)


def _add_listeners(
    result: Resources,
    balancer: LoadBalancer,
    zone: int,
    address: str,
    clusters: Mapping[str, str],
    state: State,
    sources: Sources,
) -> None:
    for item in balancer.listeners:
        if item.protocol in {"HTTPS", "TLS"}:
            if not item.certificates or item.certificates[0] not in sources.certificates:
                continue
            result.secrets.update(_secrets(item, sources.certificates))
        made = listener(balancer, item, zone, address, state, sources.run)
        if made is None:
            continue
        result.listeners[made.name] = made
        if balancer.type == "alb":
            for protocol in ("h1", "h2") if item.protocol == "HTTPS" else ("h1",):
                name = route_name(item, zone, protocol)
                result.routes[name] = table(name, item, protocol, state, clusters, sources.run.clock)


def _targets(balancer: LoadBalancer, zone: int, group: TargetGroup) -> list[Target]:
    if balancer.crosses_zones_for(group):
        return list(group.targets)
    return in_zone(group.targets, balancer.zones, zone)


def _secrets(item: Listener, certificates: Mapping[str, Certificate]) -> Iterator[tuple[str, Message]]:
    names = {default_secret(item): item.certificates[0], **{arn: arn for arn in item.certificates[1:]}}
    for name, arn in names.items():
        if arn in certificates:
            pair = certificates[arn]
            yield (
                name,
                secret_pb2.Secret(
                    name=name,
                    tls_certificate={
                        "certificate_chain": {"inline_bytes": pair.chain},
                        "private_key": {"inline_bytes": pair.key},
                    },
                ),
            )
