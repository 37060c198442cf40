"""Checks the health of all registered targets, and describes it as DescribeTargetHealth does.

Each target has a task of its own, which checks at the interval of its group, divided by the clock's speed. A
group that no listener uses is not checked (`unused`), and neither is one whose balancers are still set up
(`initial`: nobody is there to check it). A deregistered target drains for the delay of its group. One check
of one target: `health_check_requests.py`; the states: `target_health_state.py`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from testbed.clock import Clock
from testbed.load_balancers import elbv2_state
from testbed.load_balancers.elbv2_state import HealthCheck, Target, TargetGroup
from testbed.load_balancers.eligible_targets import Address, NodeHealth, Resolve, addresses, unknown
from testbed.load_balancers.health_check_requests import Checker, checker, result_of
from testbed.load_balancers.target_health_state import (
    DRAINING,
    INITIAL,
    PASSED,
    REGISTERING,
    UNCHECKED,
    UNUSED,
    Health,
    HealthReason,
    HealthState,
    Result,
)

Key = tuple[str, Target]
"""Target group ARN and target."""


class HealthChecks:
    """The health checks of a run. They live in the servers' loop.

    `describe` and `states` may be called from any thread.

    Args:
        clock: divides intervals and the deregistration delay.
        resolve: addresses behind an instance target.
        on_change: called when the state of a target changes.
        on_over: called with a target that has drained (DRAINING) or has become unhealthy (UNHEALTHY).
        node_health: what kube-proxy answers at a health check node port.
        on_failure: called with a target whose checks have ended by an error of their own: its state would
            stay as it is.
    """

    def __init__(
        self,
        clock: Clock,
        resolve: Resolve,
        on_change: Callable[[], None],
        on_over: Callable[[Key, HealthState], None] = lambda _key, _state: None,
        node_health: NodeHealth = unknown,
        on_failure: Callable[[Target, BaseException], None] = lambda _target, _error: None,
    ) -> None:
        self._on_failure = on_failure
        self._clock, self._resolve, self._on_change = clock, resolve, on_change
        self._on_over, self._node_health = on_over, node_health
        self._health: dict[Key, Health] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._checked: dict[Key, HealthCheck] = {}
        self._ports: dict[Key, str] = {}

    def states(self) -> Mapping[Key, str]:
        """The state of every known target."""
        # A copy, because other threads call this while the loop changes the dictionary.
        return {key: health.state.value for key, health in self._health.copy().items()}

    def describe(self, group: str) -> list[dict[str, Any]]:
        """Return the TargetHealthDescriptions of a group as the API answers them, with draining targets."""
        return [
            _description(key[1], self._ports.get(key, ""), health)
            for key, health in sorted(self._health.copy().items(), key=lambda item: item[0])
            if key[0] == group
        ]

    def follow(self, state: elbv2_state.Elbv2State) -> None:
        """Check targets that are registered and in use; drain or forget the others."""
        in_use = {arn for balancer in state.balancers if balancer.is_active for arn in balancer.groups}
        waiting = {arn for balancer in state.balancers if balancer.is_provisioning for arn in balancer.groups}
        registered = {
            (group.arn, target): group for group in state.groups.values() for target in group.targets
        }
        for key, group in registered.items():
            self._ports[key] = str(_port(group, key[1]))
            if group.arn not in in_use:
                self._stop(key)
                self._set(key, REGISTERING if group.arn in waiting else UNUSED)
            elif self._is_draining(key) or key not in self._tasks or self._checked[key] != group.check:
                self._start(key, group)
        # By the known states and not by the tasks: a target of an unused group has no task, and goes too.
        for key in self._health.keys() - registered.keys():
            self._deregister(key, state.groups.get(key[0]), used=key[0] in in_use)

    async def close(self) -> None:
        """End all checks."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    def _start(self, key: Key, group: TargetGroup) -> None:
        known = self._health.get(key)
        was_checked = (
            known and known.state in {HealthState.HEALTHY, HealthState.UNHEALTHY} and key in self._tasks
        )
        self._stop(key)
        self._checked[key] = group.check
        if not was_checked:
            self._set(key, INITIAL if group.check.enabled else UNCHECKED)
        if group.check.enabled:
            self._begin(key, self._check(key, group))

    def _begin(self, key: Key, work: Coroutine[Any, Any, None]) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()):
                self._on_failure(key[1], error)

        self._tasks[key] = asyncio.create_task(work, name=f"target {key[1].id}")
        self._tasks[key].add_done_callback(ended)

    def _stop(self, key: Key) -> None:
        task = self._tasks.pop(key, None)
        if task:
            task.cancel()

    def _deregister(self, key: Key, group: TargetGroup | None, *, used: bool) -> None:
        """Show `draining` for the whole delay, even with nothing in flight [ALB guide]; then forget it."""
        if self._is_draining(key) and group is not None:
            return
        self._stop(key)
        if group is None or not used:
            del self._health[key]
            return
        self._set(key, DRAINING)
        self._begin(key, self._drain(key, group.deregistration_delay))

    def _is_draining(self, key: Key) -> bool:
        """True if the target was deregistered; registered again, it starts as a new target."""
        known = self._health.get(key)
        return known is not None and known.state is HealthState.DRAINING

    async def _drain(self, key: Key, delay: float) -> None:
        await self._clock.sleep(delay)
        self._health.pop(key, None)
        self._tasks.pop(key, None)
        self._on_over(key, HealthState.DRAINING)
        self._on_change()

    async def _check(self, key: Key, group: TargetGroup) -> None:
        probe = checker(group)
        interval = self._clock.scaled(group.check.interval)
        loop = asyncio.get_running_loop()
        due = loop.time()
        for turn in itertools.count():
            result = await self._once(probe, group, key[1], turn)
            self._set(key, self._health[key].after(result, group.check))
            # Not `sleep(interval)`: the duration of each check would add to the interval.
            due = max(due + interval, loop.time())
            await asyncio.sleep(due - loop.time())

    async def _once(self, probe: Checker, group: TargetGroup, target: Target, turn: int) -> Result:
        """Check once. A node port leads to any pod that kube-proxy chooses; here the pods take turns."""
        checked = replace(target, port=_port(group, target))
        if group.target_type == "instance":
            has_pods = self._node_health(checked.id, checked.port)
            if has_pods is not None:
                return _of_kube_proxy(group.check, has_pods=has_pods)
        pods: list[Address] = list(addresses(group, checked, self._resolve))
        return await probe.check(pods[turn % len(pods)]) if pods else Result(HealthReason.FAILED)

    def _set(self, key: Key, health: Health) -> None:
        before = self._health.get(key)
        self._health[key] = health
        if before is None or before.state is not health.state:
            if before is not None and health.state is HealthState.UNHEALTHY:
                self._on_over(key, HealthState.UNHEALTHY)
            self._on_change()


def _of_kube_proxy(check: HealthCheck, *, has_pods: bool) -> Result:
    """The answer at a `healthCheckNodePort`: any path, without TLS [kubernetes pkg/proxy/healthcheck]."""
    match check.protocol:
        case "TCP":
            return PASSED
        case "HTTP":
            return result_of(check, 200 if has_pods else 503)
        case _:
            return Result(HealthReason.FAILED)


def _port(group: TargetGroup, target: Target) -> int:
    return target.port if group.check.port == "traffic-port" else int(group.check.port)


def _description(target: Target, port: str, health: Health) -> dict[str, Any]:
    described: dict[str, Any] = {"Id": target.id, "Port": target.port}
    if target.zone:
        described["AvailabilityZone"] = target.zone
    state: dict[str, str] = {"State": health.state.value}
    if health.reason:
        state |= {"Reason": health.reason.value, "Description": health.description}
    return {"Target": described, "HealthCheckPort": port, "TargetHealth": state}
