"""Health checks of all registered targets, and what DescribeTargetHealth says about them.

One task a target keeps the check's interval, divided by the clock's speed. A group that no listener of an
active balancer uses is not checked (`unused`). A deregistered target drains for the group's delay.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from testbed.clock import Clock
from testbed.load_balancers import elbv2_state
from testbed.load_balancers.checks import Checker, checker, result_of
from testbed.load_balancers.elbv2_state import HealthCheck, Target, TargetGroup
from testbed.load_balancers.endpoints import Address, NodeHealth, Resolve, addresses, unknown
from testbed.load_balancers.target_health import (
    DRAINING,
    INITIAL,
    PASSED,
    UNCHECKED,
    UNUSED,
    Health,
    Reason,
    Result,
    State,
)

Key = tuple[str, Target]
"""Target group ARN and target."""


class HealthChecks:
    """The checks of a run, in the servers' loop. `describe` and `states` may be called from any thread.

    `on_over` is told of a target that has drained (DRAINING) or has become unhealthy (UNHEALTHY).
    """

    def __init__(
        self,
        clock: Clock,
        resolve: Resolve,
        on_change: Callable[[], None],
        on_over: Callable[[Key, State], None] = lambda _key, _state: None,
        node_health: NodeHealth = unknown,
    ) -> None:
        self._clock, self._resolve, self._on_change = clock, resolve, on_change
        self._on_over, self._node_health = on_over, node_health
        self._health: dict[Key, Health] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._checked: dict[Key, HealthCheck] = {}
        self._ports: dict[Key, str] = {}

    def states(self) -> Mapping[Key, str]:
        """The state of every target known."""
        return {key: health.state.value for key, health in self._health.copy().items()}

    def describe(self, group: str) -> list[dict[str, Any]]:
        """TargetHealthDescriptions of a group, draining targets included, as the API answers them."""
        return [
            _description(key[1], self._ports.get(key, ""), health)
            for key, health in sorted(self._health.copy().items(), key=lambda item: item[0])
            if key[0] == group
        ]

    def follow(self, state: elbv2_state.State) -> None:
        """Check what is registered and in use; let go of what is not."""
        in_use = {arn for balancer in state.balancers if balancer.is_active for arn in balancer.groups}
        wanted = {(group.arn, target): group for group in state.groups.values() for target in group.targets}
        for key, group in wanted.items():
            self._ports[key] = str(_port(group, key[1]))
            if group.arn not in in_use:
                self._stop(key)
                self._set(key, UNUSED)
            elif self._is_draining(key) or key not in self._tasks or self._checked[key] != group.check:
                self._start(key, group)
        for key in self._health.keys() - wanted.keys():
            self._deregister(key, state.groups.get(key[0]), used=key[0] in in_use)

    async def close(self) -> None:
        """End all checks."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    def _start(self, key: Key, group: TargetGroup) -> None:
        known = self._health.get(key)
        was_checked = known and known.state in {State.HEALTHY, State.UNHEALTHY} and key in self._tasks
        self._stop(key)
        self._checked[key] = group.check
        if not was_checked:
            self._set(key, INITIAL if group.check.enabled else UNCHECKED)
        if group.check.enabled:
            self._tasks[key] = asyncio.create_task(self._check(key, group), name=f"check {key[1].id}")

    def _stop(self, key: Key) -> None:
        task = self._tasks.pop(key, None)
        if task:
            task.cancel()

    def _deregister(self, key: Key, group: TargetGroup | None, *, used: bool) -> None:
        """Show `draining` for the whole delay, even if nothing is in flight [ALB guide]; then forget."""
        if self._is_draining(key) and group is not None:
            return
        self._stop(key)
        if group is None or not used:
            del self._health[key]
            return
        self._set(key, DRAINING)
        self._tasks[key] = asyncio.create_task(self._drain(key, group.deregistration_delay))

    def _is_draining(self, key: Key) -> bool:
        """Whether it was deregistered; registered again, it begins as a new one."""
        known = self._health.get(key)
        return known is not None and known.state is State.DRAINING

    async def _drain(self, key: Key, delay: float) -> None:
        await self._clock.sleep(delay)
        self._health.pop(key, None)
        self._tasks.pop(key, None)
        self._on_over(key, State.DRAINING)
        self._on_change()

    async def _check(self, key: Key, group: TargetGroup) -> None:
        probe = checker(group)
        interval = self._clock.scaled(group.check.interval)
        loop = asyncio.get_running_loop()
        due = loop.time()
        for turn in itertools.count():
            result = await self._once(probe, group, key[1], turn)
            self._set(key, self._health[key].after(result, group.check))
            due = max(due + interval, loop.time())
            await asyncio.sleep(due - loop.time())

    async def _once(self, probe: Checker, group: TargetGroup, target: Target, turn: int) -> Result:
        """A node port leads to any of its pods, as kube-proxy chooses: in turn here."""
        checked = replace(target, port=_port(group, target))
        if group.target_type == "instance":
            has_pods = self._node_health(checked.id, checked.port)
            if has_pods is not None:
                return _of_kube_proxy(group.check, has_pods=has_pods)
        where: list[Address] = list(addresses(group, checked, self._resolve))
        return await probe.check(where[turn % len(where)]) if where else Result(Reason.FAILED)

    def _set(self, key: Key, health: Health) -> None:
        before = self._health.get(key)
        self._health[key] = health
        if before is None or before.state is not health.state:
            if before is not None and health.state is State.UNHEALTHY:
                self._on_over(key, State.UNHEALTHY)
            self._on_change()


def _of_kube_proxy(check: HealthCheck, *, has_pods: bool) -> Result:
    """It answers any path at a `healthCheckNodePort`, without TLS [kubernetes pkg/proxy/healthcheck]."""
    match check.protocol:
        case "TCP":
            return PASSED
        case "HTTP":
            return result_of(check, 200 if has_pods else 503)
        case _:
            return Result(Reason.FAILED)


def _port(group: TargetGroup, target: Target) -> int:
    return target.port if group.check.port == "traffic-port" else int(group.check.port)


def _description(target: Target, port: str, health: Health) -> dict[str, Any]:
    told: dict[str, Any] = {"Id": target.id, "Port": target.port}
    if target.zone:
        told["AvailabilityZone"] = target.zone
    state: dict[str, str] = {"State": health.state.value}
    if health.reason:
        state |= {"Reason": health.reason.value, "Description": health.description}
    return {"Target": told, "HealthCheckPort": port, "TargetHealth": state}
