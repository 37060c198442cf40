from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from testbed.clock import Clock
from testbed.load_balancers.elbv2_state import (
    Elbv2State,
    HealthCheck,
    Listener,
    LoadBalancer,
    Target,
    TargetGroup,
)
from testbed.load_balancers.eligible_targets import nowhere
from testbed.load_balancers.envoy_listeners import ListenerInputs
from testbed.load_balancers.envoy_resources import (
    Certificate,
    Resources,
    Sources,
    resources,
    zones_in_service,
)
from testbed.load_balancers.rule_matching import Forward, Rule
from testbed.network import BalancerType, Network

ONE, TWO = Target("127.0.1.1", 80), Target("127.0.1.2", 80)
CHECK = HealthCheck("TCP", "traffic-port", "", "", 10, 10, 3, 3)
GROUP = TargetGroup("arn:targetgroup/a/1", "TCP", "", "ip", CHECK, (ONE, TWO))
CERTIFICATE = Certificate(b"chain", b"key")


def nlb(*targets: Target, cross: str = "false") -> tuple[LoadBalancer, Elbv2State]:
    group = replace(GROUP, targets=targets)
    listener = Listener("l", 443, "TCP", rules=(Rule(0, Forward(((group.arn, 1),))),))
    attributes = {"load_balancing.cross_zone.enabled": cross}
    balancer = LoadBalancer("lb", "lb", "nlb", "lb", "active", ("a", "b"), (listener,), attributes)
    return balancer, Elbv2State((balancer,), {group.arn: group})


def test_a_zone_without_a_healthy_target_leaves_dns_unless_zones_are_crossed() -> None:
    assert zones_in_service(*nlb(ONE), {}) == [0]
    assert zones_in_service(*nlb(ONE, cross="true"), {}) == [0, 1]
    ill = {(GROUP.arn, ONE): "unhealthy"}
    assert zones_in_service(*nlb(ONE, TWO), ill) == [1]
    both_ill = {**ill, (GROUP.arn, TWO): "unhealthy"}
    assert zones_in_service(*nlb(ONE, TWO), both_ill) == [0, 1]


def test_a_zone_leaves_dns_when_one_of_several_groups_has_nothing_healthy_there() -> None:
    balancer, state = nlb(ONE, TWO)
    other = replace(GROUP, arn="arn:targetgroup/b/1", targets=(ONE, TWO))
    empty = replace(GROUP, arn="arn:targetgroup/c/1", targets=())
    listeners = [
        Listener(group.arn, port, "TCP", rules=(Rule(0, Forward(((group.arn, 1),))),))
        for port, group in enumerate((other, empty), start=81)
    ]
    balancer = replace(balancer, listeners=(*balancer.listeners, *listeners))
    state = Elbv2State((balancer,), {**state.groups, other.arn: other, empty.arn: empty})
    assert zones_in_service(balancer, state, {}) == [0, 1]
    assert zones_in_service(balancer, state, {(other.arn, TWO): "unhealthy"}) == [0]
    crossed = {(other.arn, TWO): "unhealthy", (GROUP.arn, ONE): "unhealthy"}
    assert zones_in_service(balancer, state, crossed) == [0, 1]


def built(balancer_type: BalancerType, state: Elbv2State, **certificates: Certificate) -> Resources:
    network = Network(99)
    run = ListenerInputs(network, Clock(60), "log", {})
    sources = Sources(lambda _, zone: network.balancer(0, zone), nowhere, certificates, run)
    return resources(balancer_type, state, {}, sources)


def test_each_zone_of_a_balancer_has_a_listener_and_a_cluster_at_its_own_address() -> None:
    _, state = nlb(ONE, TWO)
    made = built("nlb", state)
    assert sorted(made.listeners) == ["l/0", "l/1"]
    addresses = [made.listeners[name].address.socket_address.address for name in ("l/0", "l/1")]  # type: ignore[attr-defined]
    assert addresses == [Network(99).balancer(0, 0), Network(99).balancer(0, 1)]
    sources = {
        name: cluster.upstream_bind_config.source_address.address  # type: ignore[attr-defined]
        for name, cluster in made.clusters.items()
    }
    assert sources == dict(zip(sorted(made.clusters), addresses, strict=True))


def test_an_nlb_reaches_the_targets_of_its_zone_or_those_of_all() -> None:
    def targets(cross: str) -> list[list[str]]:
        made = built("nlb", nlb(replace(ONE, zone="a"), replace(TWO, zone="b"), cross=cross)[1])
        return [
            [
                item.endpoint.address.socket_address.address
                for item in made.endpoints[name].endpoints[0].lb_endpoints  # type: ignore[attr-defined]
            ]
            for name in sorted(made.endpoints)
        ]

    assert targets("false") == [[ONE.id], [TWO.id]]
    assert targets("true") == [[ONE.id, TWO.id]] * 2


def test_the_envoy_of_the_other_type_has_none_of_it() -> None:
    assert built("alb", nlb(ONE)[1]) == Resources()


def test_a_balancer_that_is_not_active_has_no_resources() -> None:
    balancer, state = nlb(ONE)
    provisioning = replace(state, balancers=(replace(balancer, state="provisioning"),))
    assert built("nlb", provisioning) == Resources()


def test_a_listener_without_its_certificate_is_left_out() -> None:
    balancer, state = nlb(ONE)
    tls = Listener("tls", 8443, "TLS", ("first", "second"), rules=balancer.listeners[0].rules)
    state = replace(state, balancers=(replace(balancer, listeners=(*balancer.listeners, tls)),))
    assert sorted(built("nlb", state).listeners) == ["l/0", "l/1"]
    assert not built("nlb", state, second=CERTIFICATE).secrets
    made = built("nlb", state, first=CERTIFICATE)
    assert sorted(made.listeners) == ["l/0", "l/1", "tls/0", "tls/1"]
    assert list(made.secrets) == ["tls/default"]


def test_an_https_listener_has_a_route_table_for_each_protocol_of_its_clients() -> None:
    balancer, state = nlb(ONE)
    secure = Listener("https", 443, "HTTPS", ("first",), rules=balancer.listeners[0].rules)
    plain = replace(secure, arn="http", port=80, protocol="HTTP", certificates=())
    alb = replace(balancer, type="alb", zones=("a",), listeners=(secure, plain))
    made = built("alb", replace(state, balancers=(alb,)), first=CERTIFICATE)
    assert sorted(made.routes) == ["http/0/h1", "https/0/h1", "https/0/h2"]


def test_a_balancer_whose_resources_cannot_be_built_is_named_and_the_others_are_built() -> None:
    balancer, state = nlb(ONE, TWO)
    forever = {"tcp.idle_timeout.seconds": "forever"}
    idle = Listener("o", 80, "TCP", rules=balancer.listeners[0].rules, attributes=forever)
    odd = replace(balancer, arn="odd", listeners=(idle,))
    made = built("nlb", replace(state, balancers=(odd, balancer)))
    assert sorted(made.listeners) == ["l/0", "l/1"]
    assert list(made.failed) == ["odd"]
    assert "forever" in made.failed["odd"]


def test_a_dualstack_balancer_listens_at_a_port_of_the_loopback_address_of_ipv6_too() -> None:
    ports = iter(range(17040, 17050))
    balancer, state = nlb(ONE, TWO)
    sources = _sources(ipv6_port=lambda _node, _port: next(ports))
    assert _addresses(resources("nlb", state, {}, sources)) == {("127.0.10.1", 8443), ("127.0.10.2", 8443)}
    both = replace(state, balancers=(replace(balancer, is_dualstack=True),))
    found = resources("nlb", both, {}, sources)
    assert _addresses(found) == {
        ("127.0.10.1", 8443),
        ("127.0.10.2", 8443),
        ("::1", 17040),
        ("::1", 17041),
    }
    # The node is the same: IPv6 connections reach the targets from the address by which they know it.
    assert found.clusters.keys() == resources("nlb", state, {}, sources).clusters.keys()


def test_without_ipv6_on_the_machine_a_dualstack_balancer_listens_by_ipv4_alone() -> None:
    balancer, state = nlb(ONE, TWO)
    both = replace(state, balancers=(replace(balancer, is_dualstack=True),))
    assert _addresses(resources("nlb", both, {}, _sources())) == {("127.0.10.1", 8443), ("127.0.10.2", 8443)}


def _sources(ipv6_port: Callable[[str, int], int] | None = None) -> Sources:
    run = ListenerInputs(Network(0), Clock(60), "", {})
    return Sources(lambda _arn, zone: f"127.0.10.{zone + 1}", nowhere, {}, run, ipv6_port)


def _addresses(found: Resources) -> set[tuple[str, int]]:
    own = [one.address.socket_address for one in found.listeners.values()]  # type: ignore[attr-defined]
    return {(one.address, one.port_value) for one in own}
