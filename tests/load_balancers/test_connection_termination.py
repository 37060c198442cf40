"""What flows to a target ends, or flows on, as AWS has it: decided from values, and seen at a real Envoy."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any, Literal

import httpx
import pytest

from testbed.load_balancers.connection_termination import AFTER_DRAINING, WHEN_UNHEALTHY, endings
from testbed.load_balancers.elbv2_state import (
    Elbv2State,
    HealthCheck,
    Listener,
    LoadBalancer,
    Target,
    TargetGroup,
)
from testbed.load_balancers.eligible_targets import nowhere
from testbed.load_balancers.rule_matching import Forward, Rule
from testbed.load_balancers.target_health_state import HealthState
from testbed.settings import PATIENCE
from tests.load_balancers.targets import HeldTarget, serving

ONE, TWO = Target("127.0.1.1", 80), Target("127.0.1.2", 80)
CHECK = HealthCheck("TCP", "traffic-port", "", "", 10, 10, 3, 3)
GROUP = TargetGroup("arn:targetgroup/a/1", "TCP", "", "ip", CHECK, (TWO,))
OTHER = replace(GROUP, arn="arn:targetgroup/b/2", targets=(ONE,))


def ended(
    kind: Literal["nlb", "alb"],
    over: HealthState,
    group: TargetGroup = GROUP,
    *others: TargetGroup,
    **states: str,
) -> set[str]:
    """The addresses to which connections are cut when target ONE of a group is over."""
    groups = {one.arn: one for one in (group, *others)}
    rules = tuple(Rule(number, Forward(((arn, 1),))) for number, arn in enumerate(groups))
    listener = Listener("listener", 443, "TCP" if kind == "nlb" else "HTTP", rules=rules)
    balancer = LoadBalancer("lb", "lb", kind, "lb", "active", ("a",), (listener,))
    keyed = {(group.arn, ONE if name == "one" else TWO): value for name, value in states.items()}
    found = endings(group, ONE, over, Elbv2State((balancer,), groups), keyed, nowhere)
    return {address for ending in found for address, _ in ending.targets}


def test_an_alb_cuts_when_the_delay_has_run_out_and_not_when_a_target_is_unhealthy() -> None:
    assert ended("alb", HealthState.DRAINING, two="healthy") == {ONE.id}
    unhealthy = replace(GROUP, targets=(ONE, TWO))
    assert ended("alb", HealthState.UNHEALTHY, unhealthy, one="unhealthy", two="healthy") == set()


def test_an_nlb_lets_flows_go_on_after_the_delay_unless_it_shall_cut_them() -> None:
    assert ended("nlb", HealthState.DRAINING, two="healthy") == set()
    assert ended("nlb", HealthState.DRAINING, replace(GROUP, attributes={AFTER_DRAINING: "true"})) == {ONE.id}


def test_an_nlb_cuts_the_flows_of_an_unhealthy_target_unless_switched_off_or_failing_open() -> None:
    both = replace(GROUP, targets=(ONE, TWO))
    assert ended("nlb", HealthState.UNHEALTHY, both, one="unhealthy", two="healthy") == {ONE.id}
    assert ended("nlb", HealthState.UNHEALTHY, both, one="unhealthy", two="unhealthy") == set()
    kept = replace(both, attributes={WHEN_UNHEALTHY: "false"})
    assert ended("nlb", HealthState.UNHEALTHY, kept, one="unhealthy", two="healthy") == set()


def test_an_address_that_another_group_of_the_balancer_still_uses_is_spared() -> None:
    assert ended("alb", HealthState.DRAINING, GROUP, OTHER) == set()


@pytest.fixture
def pair(cloud: Any) -> Iterator[list[HeldTarget]]:
    """Two targets."""
    with serving(*((cloud.network.envoy_pod(index), 8080) for index in (70, 71))) as targets:
        yield targets


@pytest.fixture
def slow(pair: list[HeldTarget]) -> list[tuple[str, int]]:
    """Their addresses."""
    return [one.address for one in pair]


def test_a_request_that_outlasts_the_deregistration_delay_of_an_alb_gets_502(
    cloud: Any, pair: list[HeldTarget], slow: list[tuple[str, int]]
) -> None:
    group = cloud.group("slow", "HTTP1", slow[0])
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "30"}
    cloud.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])
    balancer = cloud.balancer("slow")
    cloud.listener(balancer, "HTTP", 8002, cloud.forward(group))
    cloud.feed.bump()
    cloud.eventually(lambda: cloud.fleet.addresses(balancer["DNSName"]))
    url = f"http://{cloud.fleet.addresses(balancer['DNSName'])[0]}:8002"
    cloud.eventually(lambda: httpx.get(url, trust_env=False).status_code == 200)
    answers: list[int] = []
    asking = threading.Thread(
        target=lambda: answers.append(
            httpx.get(f"{url}/slow", trust_env=False, timeout=PATIENCE.condition).status_code
        )
    )
    asking.start()
    cloud.eventually(lambda: pair[0].held == 1)
    target = [{"Id": slow[0][0], "Port": slow[0][1]}]
    cloud.elbv2.deregister_targets(TargetGroupArn=group, Targets=target)
    cloud.feed.bump()
    asking.join(PATIENCE.condition)
    assert answers == [502]


@pytest.mark.parametrize("terminates", [True, False])
def test_an_nlbs_flow_outlives_the_delay_unless_connection_termination_is_on(
    cloud: Any, slow: list[tuple[str, int]], terminates: bool
) -> None:
    name = f"flow{int(terminates)}"
    port = 8003 + terminates
    group = cloud.group(name, "TCP", slow[0])
    attributes = {"deregistration_delay.timeout_seconds": "15", AFTER_DRAINING: str(terminates).lower()}
    pairs = [{"Key": key, "Value": value} for key, value in attributes.items()]
    cloud.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=pairs)
    balancer = cloud.balancer(name, "network")
    cloud.listener(balancer, "TCP", port, cloud.forward(group))
    cloud.feed.bump()
    cloud.eventually(lambda: cloud.fleet.addresses(balancer["DNSName"]))
    address = cloud.fleet.addresses(balancer["DNSName"])[0]
    cloud.eventually(lambda: httpx.get(f"http://{address}:{port}", trust_env=False).status_code == 200)
    with closing(socket.create_connection((address, port), PATIENCE.condition)) as flow:
        ask(flow)
        target = [{"Id": slow[0][0], "Port": slow[0][1]}]
        cloud.elbv2.deregister_targets(TargetGroupArn=group, Targets=target)
        cloud.feed.bump()
        cloud.eventually(lambda: cloud.fleet.health.describe(group))
        if terminates:
            assert ends(flow)
        else:
            cloud.eventually(lambda: not cloud.fleet.health.describe(group))
            ask(flow)


def test_an_nlb_cuts_the_flows_of_a_target_that_becomes_unhealthy(
    cloud: Any, slow: list[tuple[str, int]]
) -> None:
    check = socket.create_server((slow[0][0], 0))
    healthy = socket.create_server((slow[1][0], check.getsockname()[1]))
    group = cloud.group("ill", "TCP", *slow, HealthCheckPort=str(check.getsockname()[1]))
    balancer = cloud.balancer("ill", "network")
    cloud.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}],
    )
    cloud.listener(balancer, "TCP", 8005, cloud.forward(group))
    cloud.feed.bump()

    def states() -> list[str]:
        return [one["TargetHealth"]["State"] for one in cloud.fleet.health.describe(group)]

    with closing(check), closing(healthy):
        cloud.eventually(lambda: states() == ["healthy"] * 2)
        cloud.eventually(lambda: cloud.fleet.addresses(balancer["DNSName"]))
        address = cloud.fleet.addresses(balancer["DNSName"])[0]
        flows = [socket.create_connection((address, 8005), PATIENCE.condition) for _ in range(8)]
        for flow in flows:
            ask(flow)
        to_first = cloud.flows_to(slow[0])
        assert to_first > 0
        check.close()
        cloud.eventually(lambda: states() == ["unhealthy", "healthy"])
        cloud.eventually(lambda: cloud.flows_to(slow[0]) == 0)
        cut = 0
        for flow in flows:
            with closing(flow):
                try:
                    ask(flow)
                except ConnectionError:
                    cut += 1
        assert cut == to_first


def ask(flow: socket.socket) -> None:
    """One request and its whole answer. Raises `ConnectionError` if there is none."""
    flow.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    answer = http.client.HTTPResponse(flow)
    answer.begin()
    assert answer.status == 200
    answer.read()
    answer.close()


def ends(flow: socket.socket) -> bool:
    try:
        return flow.recv(1) == b""
    except ConnectionResetError:
        return True
