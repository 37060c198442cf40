from __future__ import annotations

from dataclasses import replace

from testbed.load_balancers.elbv2_state import HealthCheck, Target, TargetGroup
from testbed.load_balancers.eligible_targets import Endpoint, endpoints, in_zone, nowhere

ONE, TWO = Target("127.0.1.1", 80), Target("127.0.1.2", 80)
CHECK = HealthCheck("TCP", "traffic-port", "", "", 10, 10, 3, 3)
GROUP = TargetGroup("arn:targetgroup/a/1", "TCP", "", "ip", CHECK, (ONE, TWO))


def open_ones(states: dict[Target, str], group: TargetGroup = GROUP) -> list[str]:
    keyed = {(group.arn, target): state for target, state in states.items()}
    return [item.address for item in endpoints(group, keyed, nowhere, group.targets) if item.open]


def test_only_healthy_targets_get_new_work() -> None:
    assert open_ones({ONE: "healthy", TWO: "unhealthy"}) == [ONE.id]
    assert open_ones({ONE: "healthy", TWO: "initial"}) == [ONE.id]


def test_targets_without_health_checks_get_work() -> None:
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


def test_a_pod_is_reached_where_its_port_is_bound_and_any_other_address_as_it_is() -> None:
    def bound(address: str, port: int) -> list[tuple[str, int]]:
        return [(address, 20_000 + port)] if address == ONE.id else []

    reached = endpoints(GROUP, {}, bound, GROUP.targets)
    assert reached == (Endpoint(ONE.id, 20_080, open=True), Endpoint(TWO.id, 80, open=True))


def test_instances_are_reached_through_their_node_port_and_each_pod_once() -> None:
    group = replace(GROUP, target_type="instance", targets=(Target("i-1", 30443), Target("i-2", 30443)))
    pods = [("127.0.1.1", 8443), ("127.0.1.2", 8443)]
    reached = endpoints(group, {}, lambda _instance, _port: pods, group.targets)
    assert reached == tuple(Endpoint(host, port, open=True) for host, port in pods)


def test_targets_of_unknown_zones_are_distributed_over_all_zones() -> None:
    at_home = Target("127.0.1.3", 80, "b")
    targets = (ONE, TWO, at_home)
    assert in_zone(targets, ("a", "b"), 0) == [ONE]
    assert in_zone(targets, ("a", "b"), 1) == [TWO, at_home]
