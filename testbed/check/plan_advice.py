"""The advice of `testbed lb plan`: what those rules find that concern the planned balancers alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.check.findings import Finding
from testbed.check.manifest_reading import Reading
from testbed.check.rule_registry import all_rules
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.offline import stack_plan_text
from testbed.lb_controller.offline.stack_plan import Plan
from testbed.releases import Named


@dataclass(frozen=True, slots=True)
class Advice:
    """A finding under the name that `lb plan` gives to its rule."""

    reason: str
    finding: Finding


def advice(
    manifests: Sequence[Manifest], plan: Plan, controller_release: Named | None = None
) -> list[Advice]:
    """The advice on a plan of these manifests, rule by rule in the order of the plan.

    Args:
        controller_release: the release by which it was planned, if an option names it.
    """
    reading = Reading.of(manifests, None, controller_release, plan=plan)
    return list(dict.fromkeys(_advice(reading)))


def render(plan: Plan, found: Sequence[Advice]) -> str:
    """The plan in lines of text, and the advice below it: what will happen, and what to do."""
    lines = stack_plan_text.lines(plan)
    if found:
        lines.append("Advice")
    for item in found:
        lines += [f"  {item.reason}: {item.finding.what}", f"    -> {item.finding.do}"]
    return "\n".join(lines).rstrip() + "\n"


def as_json(plan: Plan, found: Sequence[Advice]) -> dict[str, Any]:
    """The plan as plain values, with the advice."""
    listed = [
        {
            "reason": item.reason,
            "sentence": item.finding.what,
            "do": item.finding.do,
            "where": str(item.finding.where),
        }
        for item in found
    ]
    return {**plan.to_json(), "advice": listed}


def _advice(reading: Reading) -> Iterator[Advice]:
    for rule in all_rules():
        if rule.advice:
            for finding in rule.findings(reading):
                yield Advice(rule.advice, finding)
