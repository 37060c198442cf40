"""The state machine of a target's health (pure), with the states and reasons of DescribeTargetHealth.

```
initial ──one success──► healthy ◄──`healthy` successes in a row── unhealthy
   └──────`unhealthy` failures in a row──► unhealthy ◄──`unhealthy` failures in a row── healthy
```
[ALB guide, "Health checks for your target groups": a new target needs one success]
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

from testbed.load_balancers.elbv2_state import HealthCheck


class HealthState(enum.StrEnum):
    """Target states of the API."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNUSED = "unused"
    DRAINING = "draining"
    UNAVAILABLE = "unavailable"


class HealthReason(enum.StrEnum):
    """The reason codes of the API that occur in the testbed."""

    REGISTERING = "Elb.RegistrationInProgress"
    INITIAL = "Elb.InitialHealthChecking"
    MISMATCH = "Target.ResponseCodeMismatch"
    TIMEOUT = "Target.Timeout"
    FAILED = "Target.FailedHealthChecks"
    NOT_IN_USE = "Target.NotInUse"
    DEREGISTERING = "Target.DeregistrationInProgress"
    DISABLED = "Target.HealthCheckDisabled"


DESCRIPTIONS: Mapping[HealthReason, str] = {
    HealthReason.REGISTERING: "Target registration is in progress",
    HealthReason.INITIAL: "Initial health checks in progress",
    HealthReason.TIMEOUT: "Request timed out",
    HealthReason.FAILED: "Health checks failed",
    HealthReason.NOT_IN_USE: "Target group is not configured to receive traffic from the load balancer",
    HealthReason.DEREGISTERING: "Target deregistration is in progress",
    HealthReason.DISABLED: "Health checks are disabled",
}


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one check: None as `reason` if it passed; `code` is the HTTP or gRPC code answered."""

    reason: HealthReason | None = None
    code: str = ""


PASSED = Result()


@dataclass(frozen=True, slots=True)
class Health:
    """The health of a target, and how many checks in a row passed or failed."""

    state: HealthState
    reason: HealthReason | None = None
    description: str = ""
    passed: int = 0
    failed: int = 0

    def after(self, result: Result, check: HealthCheck) -> Health:
        """Return the health after one more check."""
        if result.reason is None:
            return self._passed(check)
        failed = self.failed + 1
        if self.state is HealthState.UNHEALTHY or failed >= check.unhealthy:
            return Health(HealthState.UNHEALTHY, result.reason, describe(result), failed=failed)
        return replace(self, passed=0, failed=failed)

    def _passed(self, check: HealthCheck) -> Health:
        passed = self.passed + 1
        # The healthy threshold counts only on the way back; a new target needs one success.
        if self.state is not HealthState.UNHEALTHY or passed >= check.healthy:
            return Health(HealthState.HEALTHY, passed=passed)
        return replace(self, passed=passed, failed=0)


def because(state: HealthState, reason: HealthReason) -> Health:
    """Return a health that does not come from a check."""
    return Health(state, reason, DESCRIPTIONS[reason])


REGISTERING = because(HealthState.INITIAL, HealthReason.REGISTERING)
INITIAL = because(HealthState.INITIAL, HealthReason.INITIAL)
UNUSED = because(HealthState.UNUSED, HealthReason.NOT_IN_USE)
DRAINING = because(HealthState.DRAINING, HealthReason.DEREGISTERING)
UNCHECKED = because(HealthState.UNAVAILABLE, HealthReason.DISABLED)


def describe(result: Result) -> str:
    """Return the API's description of a failed check."""
    if result.reason is HealthReason.MISMATCH:
        return f"Health checks failed with these codes: [{result.code}]"
    return DESCRIPTIONS[result.reason] if result.reason else ""


def is_expected(matcher: str, code: int) -> bool:
    """True if a code is in a matcher such as `200`, `200,301` or `0-5,12`."""
    for part in matcher.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit() and int(first) <= code <= int(last or first):
            return True
    return False
