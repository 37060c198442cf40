"""Builds all resources of one Envoy, the NLBs' or the ALBs', from the state of ELBv2 (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from google.protobuf.message import Message

from testbed.load_balancers.elbv2_state import (
    UNFORESEEN,
    Elbv2State,
    Listener,
    LoadBalancer,
    Target,
    TargetGroup,
)
from testbed.load_balancers.eligible_targets import ACCEPTING, Resolve, States, endpoints, in_zone
from testbed.load_balancers.envoy_clusters import assignment, cluster, cluster_name
from testbed.load_balancers.envoy_listeners import (
    ListenerInputs,
    default_secret,
    listener,
    over_ipv6,
    route_name,
)
from testbed.load_balancers.envoy_routes import table
from testbed.network import BalancerType

ByName = dict[str, Message]


@dataclass(frozen=True, slots=True)
class Resources:
    """All xDS resources of one Envoy, by type and name.

    Attributes:
        failed: why a balancer has none, by its ARN, or a listener, by its.
    """

    clusters: ByName = field(default_factory=dict)
    endpoints: ByName = field(default_factory=dict)
    listeners: ByName = field(default_factory=dict)
    routes: ByName = field(default_factory=dict)
    secrets: ByName = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, other: Resources) -> None:
        """Take over the resources of another."""
        for kind in fields(self):
            getattr(self, kind.name).update(getattr(other, kind.name))


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate chain and its key as PEM."""

    chain: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Sources:
    """Inputs of the resources besides the ELBv2 API.

    Attributes:
        address: (balancer ARN, zone index) → IP of the node.
        resolve: addresses behind an instance target.
        certificates: certificates by ARN; a listener whose certificate is missing has failed.
        run: network, clock and files of the run.
        ipv6_port: (address of the node, port) → port of `::1`; None if the nodes have no IPv6 here.
    """

    address: Callable[[str, int], str]
    resolve: Resolve
    certificates: Mapping[str, Certificate]
    run: ListenerInputs
    ipv6_port: Callable[[str, int], int] | None = None


def resources(balancer_type: BalancerType, state: Elbv2State, states: States, sources: Sources) -> Resources:
    """Return the resources of the Envoy that runs all balancers of a type.

    A balancer whose resources cannot be built has none, and is in `failed`: it must not stop the others.
    """
    result = Resources()
    for balancer in state.balancers:
        if balancer.type == balancer_type and balancer.is_active:
            own = Resources()
            try:
                _add(own, balancer, state, states, sources)
            except UNFORESEEN as error:
                own = Resources(failed={balancer.arn: f"{type(error).__name__}: {error}"})
            result.add(own)
    return result


def zones_in_service(balancer: LoadBalancer, state: Elbv2State, states: States) -> list[int]:
    """Return the zones whose address is in DNS, as indexes.

    A zone in which a group has no healthy target is taken out [NLB guide]. If that is true of all zones, the
    balancer fails open: all zones with a target stay. A group without any target does not count.
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


def _add(
    result: Resources, balancer: LoadBalancer, state: Elbv2State, states: States, sources: Sources
) -> None:
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
    state: Elbv2State,
    sources: Sources,
) -> None:
    for item in balancer.listeners:
        if item.protocol in {"HTTPS", "TLS"}:
            if not item.certificates or item.certificates[0] not in sources.certificates:
                result.failed[item.arn] = "there is no key to its certificate"
                continue
            result.secrets.update(_secrets(item, sources.certificates))
        run = sources.run
        built = listener(balancer, item, zone, address, state, run)
        if built is None:
            continue
        result.listeners[built.name] = built
        if balancer.is_dualstack and sources.ipv6_port:
            also = over_ipv6(built, sources.ipv6_port(address, run.network.port(item.port)))
            result.listeners[also.name] = also
        if balancer.type == "alb":
            # An ALB speaks HTTP/2 only where ALPN can agree on it, on HTTPS listeners.
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
