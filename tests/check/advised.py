"""The advice of `testbed lb plan` on manifests of Ingress groups."""

from __future__ import annotations

from testbed.check import plan_advice
from testbed.check.plan_advice import Advice
from tests.lb_controller.offline.manifests_of_groups import parsed, planned


def advice_on(*documents: str) -> list[Advice]:
    return plan_advice.advice(parsed(*documents), planned(*documents))


def advised(*documents: str) -> dict[str, str]:
    """What will happen, by the reason that `lb plan` prints."""
    return {item.reason: item.finding.what for item in advice_on(*documents)}
