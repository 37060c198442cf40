"""The checks of a run against a target that really listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from testbed.clock import Clock
from testbed.load_balancers.elbv2_state import (
    Elbv2State,
    HealthCheck,
    Listener,
    LoadBalancer,
    Target,
    TargetGroup,
)
from testbed.load_balancers.eligible_targets import NodeHealth, Resolve, nowhere, unknown
from testbed.load_balancers.health_checks import HealthChecks
from testbed.load_balancers.rule_matching import Forward, Rule
from testbed.settings import PATIENCE

ARN = "arn:targetgroup/a/1"
DELAY = {"deregistration_delay.timeout_seconds": "3600"}


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A port that takes connections."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


def state(*targets: Target, used: bool = True) -> Elbv2State:
    check = HealthCheck("TCP", "traffic-port", "", "", 10, 5, 3, 3)
    group = TargetGroup(ARN, "TCP", "", "ip", check, targets, DELAY)
    listener = Listener("listener", 443, "TCP", rules=(Rule(0, Forward(((ARN, 1),))),))
    balancer = LoadBalancer("lb", "lb", "nlb", "lb", "active", ("a",), (listener,))
    return Elbv2State((balancer if used else replace(balancer, listeners=()),), {ARN: group})


class Watched(HealthChecks):
    """Checks that can be waited for."""

    def __init__(self, resolve: Resolve = nowhere, node_health: NodeHealth = unknown) -> None:
        self.changed = asyncio.Event()
        super().__init__(Clock(60), resolve, self.changed.set, node_health=node_health)

    async def until(self, *wanted: str) -> None:
        async with asyncio.timeout(PATIENCE.condition):
            while list(self.states().values()) != list(wanted):
                self.changed.clear()
                await self.changed.wait()


async def test_a_target_that_is_registered_again_while_it_drains_is_checked_as_a_new_one(port: int) -> None:
    checks = Watched()
    target = Target("127.0.0.1", port)
    checks.follow(state(target))
    await checks.until("healthy")
    checks.follow(state())
    assert list(checks.states().values()) == ["draining"]
    checks.follow(state())
    assert list(checks.states().values()) == ["draining"]
    checks.follow(state(target))
    assert list(checks.states().values()) == ["initial"]
    await checks.until("healthy")
    await checks.close()


async def test_a_group_that_no_rule_uses_is_not_checked_and_its_targets_do_not_drain(port: int) -> None:
    checks = Watched()
    target = Target("127.0.0.1", port)
    checks.follow(state(target))
    await checks.until("healthy")
    checks.follow(state(target, used=False))
    (described,) = checks.describe(ARN)
    assert described["TargetHealth"]["State"] == "unused"
    assert described["TargetHealth"]["Reason"] == "Target.NotInUse"
    checks.follow(state(used=False))
    assert checks.describe(ARN) == []
    await checks.close()


async def test_a_group_whose_balancer_is_still_set_up_is_checked_once_it_is_active(port: int) -> None:
    checks = Watched()
    target = Target("127.0.0.1", port)
    used = state(target)
    young = replace(used, balancers=(replace(used.balancers[0], state="provisioning"),))
    checks.follow(young)
    (described,) = checks.describe(ARN)
    assert described["TargetHealth"]["State"] == "initial"
    assert described["TargetHealth"]["Reason"] == "Elb.RegistrationInProgress"
    assert not checks._tasks
    checks.follow(used)
    await checks.until("healthy")
    await checks.close()


async def test_checks_that_end_by_an_error_of_their_own_are_told_of_and_do_not_just_stop(port: int) -> None:
    told: asyncio.Queue[tuple[Target, str]] = asyncio.Queue()

    def broken(_instance: str, _port: int) -> bool | None:
        raise ZeroDivisionError("of the testbed")

    checks = HealthChecks(
        Clock(60),
        nowhere,
        lambda: None,
        node_health=broken,
        on_failure=lambda target, error: told.put_nowait((target, str(error))),
    )
    target = Target("i-1", port)
    used = state(target)
    group = replace(used.groups[ARN], target_type="instance")
    checks.follow(replace(used, groups={ARN: group}))
    async with asyncio.timeout(PATIENCE.condition):
        assert await told.get() == (target, "of the testbed")
    await checks.close()
    assert told.empty()


async def test_targets_of_a_group_without_health_checks_are_unavailable_and_not_checked(port: int) -> None:
    checks = Watched()
    given = state(Target("127.0.0.1", port))
    group = replace(given.groups[ARN], check=replace(given.groups[ARN].check, enabled=False))
    checks.follow(Elbv2State(given.balancers, {ARN: group}))
    (described,) = checks.describe(ARN)
    assert described["TargetHealth"] == {
        "State": "unavailable",
        "Reason": "Target.HealthCheckDisabled",
        "Description": "Health checks are disabled",
    }
    await checks.close()


HEALTH_PORT = 32_000


def of_instances(protocol: str, check_port: int, *targets: Target) -> Elbv2State:
    given = state(*targets)
    check = replace(given.groups[ARN].check, protocol=protocol, port=str(check_port), matcher="200-399")
    group = replace(given.groups[ARN], target_type="instance", check=check)
    return Elbv2State(given.balancers, {ARN: group})


def kube_proxy(instance: str, port: int) -> bool | None:
    """One node has a pod of the Service, the other has none."""
    return instance == "i-1" if port == HEALTH_PORT else None


async def test_with_traffic_policy_local_a_node_is_healthy_while_it_has_a_pod() -> None:
    checks = Watched(node_health=kube_proxy)
    checks.follow(of_instances("HTTP", HEALTH_PORT, Target("i-1", 30_443), Target("i-2", 30_443)))
    await checks.until("healthy", "unhealthy")
    described = {one["Target"]["Id"]: one for one in checks.describe(ARN)}
    assert described["i-1"]["HealthCheckPort"] == str(HEALTH_PORT)
    assert described["i-2"]["TargetHealth"]["Reason"] == "Target.ResponseCodeMismatch"
    await checks.close()


@pytest.mark.parametrize(("protocol", "states"), [("TCP", "healthy"), ("HTTPS", "unhealthy")])
async def test_kube_proxy_takes_connections_on_every_node_and_speaks_no_tls(
    protocol: str, states: str
) -> None:
    checks = Watched(node_health=kube_proxy)
    checks.follow(of_instances(protocol, HEALTH_PORT, Target("i-1", 30_443), Target("i-2", 30_443)))
    await checks.until(states, states)
    await checks.close()


async def test_a_check_at_another_node_port_reaches_the_pods_behind_that_port(port: int) -> None:
    other = 30_080
    checks = Watched(resolve=lambda _, node_port: [("127.0.0.1", port)] if node_port == other else [])
    checks.follow(of_instances("TCP", other, Target("i-1", 30_443)))
    await checks.until("healthy")
    await checks.close()
