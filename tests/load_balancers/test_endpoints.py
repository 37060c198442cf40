from __future__ import annotations

from dataclasses import replace

from testbed.load_balancers.elbv2_state import HealthCheck, Listener, LoadBalancer, State, Target, TargetGroup
from testbed.load_balancers.endpoints import Endpoint, endpoints, in_zone, nowhere
from testbed.load_balancers.listener_rules import Forward, Rule
from testbed.load_balancers.resources import zones_in_service

ONE, TWO = Target("127.0.1.1", 80), Target("127.0.1.2", 80)
CHECK = HealthCheck("TCP", "traffic-port", "", "", 10, 10, 3, 3)
GROUP = TargetGroup("arn:targetgroup/a/1", "TCP", "", "ip", CHECK, (ONE, TWO))


def open_ones(states: dict[Target, str], group: TargetGroup = GROUP) -> list[str]:
    keyed = {(group.arn, target): state for target, state in states.items()}
    return [item.address for item in endpoints(group, keyed, nowhere, group.targets) if item.open]


def test_only_healthy_targets_get_new_work() -> None:
    assert open_ones({ONE: "healthy", TWO: "unhealthy"}) == [ONE.id]
    assert open_ones({ONE: "healthy", TWO: "initial"}) == [ONE.id]


def test_targets_that_nobody_checks_get_work() -> None:
    assert open_ones({ONE: "unavailable", TWO: "unavailable"}) == [ONE.id, TWO.id]


def test_a_target_that_was_never_healthy_is_not_there_yet() -> None:
    keyed = {(GROUP.arn, ONE): "healthy", (GROUP.arn, TWO): "initial"}
    assert endpoints(GROUP, keyed, nowhere, GROUP.targets) == (Endpoint(ONE.id, 80, True),)


def test_with_no_healthy_target_all_registered_ones_get_work() -> None:
    assert open_ones({ONE: "unhealthy", TWO: "initial"}) == [ONE.id, TWO.id]


def test_a_draining_target_keeps_its_work_and_gets_none_even_when_it_is_the_last() -> None:
    group = replace(GROUP, targets=(ONE,))
    assert open_ones({ONE: "unhealthy", TWO: "draining"}, group) == [ONE.id]
    alone = replace(GROUP, targets=())
    drained = endpoints(alone, {(alone.arn, TWO): "draining"}, nowhere, ())
    assert drained == (Endpoint(TWO.id, 80, open=False),)


def test_instances_are_reached_through_their_node_port_and_each_pod_once() -> None:
    group = replace(GROUP, target_type="instance", targets=(Target("i-1", 30443), Target("i-2", 30443)))
    pods = [("127.0.1.1", 8443), ("127.0.1.2", 8443)]
    reached = endpoints(group, {}, lambda _instance, _port: pods, group.targets)
    assert reached == tuple(Endpoint(host, port, open=True) for host, port in pods)


def test_targets_of_no_known_zone_are_dealt_out_over_the_zones() -> None:
    at_home = Target("127.0.1.3", 80, "b")
    targets = (ONE, TWO, at_home)
    assert in_zone(targets, ("a", "b"), 0) == [ONE]
    assert in_zone(targets, ("a", "b"), 1) == [TWO, at_home]


def nlb(*targets: Target, cross: str = "false") -> tuple[LoadBalancer, State]:
    group = replace(GROUP, targets=targets)
    listener = Listener("l", 443, "TCP", rules=(Rule(0, Forward(((group.arn, 1),))),))
    attributes = {"load_balancing.cross_zone.enabled": cross}
    balancer = LoadBalancer("lb", "lb", "nlb", "lb", "active", ("a", "b"), (listener,), attributes)
    return balancer, State((balancer,), {group.arn: group})


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
    state = State((balancer,), {**state.groups, other.arn: other, empty.arn: empty})
    assert zones_in_service(balancer, state, {}) == [0, 1]
    assert zones_in_service(balancer, state, {(other.arn, TWO): "unhealthy"}) == [0]
    crossed = {(other.arn, TWO): "unhealthy", (GROUP.arn, ONE): "unhealthy"}
    assert zones_in_service(balancer, state, crossed) == [0, 1]
