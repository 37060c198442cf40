"""The health of a target as a state machine (pure): states, reasons and words of DescribeTargetHealth.

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


class State(enum.StrEnum):
    """Target states of the API."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNUSED = "unused"
    DRAINING = "draining"
    UNAVAILABLE = "unavailable"


class Reason(enum.StrEnum):
    """Reason codes of the API that the testbed comes to."""

    REGISTERING = "Elb.RegistrationInProgress"
    INITIAL = "Elb.InitialHealthChecking"
    MISMATCH = "Target.ResponseCodeMismatch"
    TIMEOUT = "Target.Timeout"
    FAILED = "Target.FailedHealthChecks"
    NOT_IN_USE = "Target.NotInUse"
    DEREGISTERING = "Target.DeregistrationInProgress"
    DISABLED = "Target.HealthCheckDisabled"


DESCRIPTIONS: Mapping[Reason, str] = {
    Reason.REGISTERING: "Target registration is in progress",
    Reason.INITIAL: "Initial health checks in progress",
    Reason.TIMEOUT: "Request timed out",
    Reason.FAILED: "Health checks failed",
    Reason.NOT_IN_USE: "Target group is not configured to receive traffic from the load balancer",
    Reason.DEREGISTERING: "Target deregistration is in progress",
    Reason.DISABLED: "Health checks are disabled",
}


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found: nothing wrong, or a reason; `code` is the answer's HTTP or gRPC code."""

    reason: Reason | None = None
    code: str = ""


PASSED = Result()


@dataclass(frozen=True, slots=True)
class Health:
    """A target's state, and how many checks in a row said the same."""

    state: State
    reason: Reason | None = None
    description: str = ""
    passed: int = 0
    failed: int = 0

    def after(self, result: Result, check: HealthCheck) -> Health:
        """The health after one more check."""
        if result.reason is None:
            return self._passed(check)
        failed = self.failed + 1
        if self.state is State.UNHEALTHY or failed >= check.unhealthy:
            return Health(State.UNHEALTHY, result.reason, describe(result), failed=failed)
        return replace(self, passed=0, failed=failed)

    def _passed(self, check: HealthCheck) -> Health:
        passed = self.passed + 1
        if self.state is not State.UNHEALTHY or passed >= check.healthy:
            return Health(State.HEALTHY, passed=passed)
        return replace(self, passed=passed, failed=0)


def because(state: State, reason: Reason) -> Health:
    """A health that no check found."""
    return Health(state, reason, DESCRIPTIONS[reason])


INITIAL = because(State.INITIAL, Reason.INITIAL)
UNUSED = because(State.UNUSED, Reason.NOT_IN_USE)
DRAINING = because(State.DRAINING, Reason.DEREGISTERING)
UNCHECKED = because(State.UNAVAILABLE, Reason.DISABLED)


def describe(result: Result) -> str:
    """The API's sentence for a failed check."""
    if result.reason is Reason.MISMATCH:
        return f"Health checks failed with these codes: [{result.code}]"
    return DESCRIPTIONS[result.reason] if result.reason else ""


def is_expected(matcher: str, code: int) -> bool:
    """Whether a code is in a matcher such as `200`, `200,301` or `0-5,12`."""
    for part in matcher.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit() and int(first) <= code <= int(last or first):
            return True
    return False
