"""Drift: what to modify, replace or leave in AWS, from the wanted and the described resources.

Pure. Sources: pkg/deploy/elbv2 of the AWS Load Balancer Controller (`*_synthesizer.go`, `*_manager.go`) and
the conformance cases deploy-drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from testbed.dated_releases import Release
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.stack import HealthCheck, Listener, ListenerRule, LoadBalancer, TargetGroup
from testbed.lb_controller.deploy import elbv2_shapes
from testbed.lb_controller.deploy.elbv2_shapes import Resolve

Described = Mapping[str, Any]
"""A resource as a Describe call returns it."""

LOWEST_PRIORITY = 50_000
"""The largest priority that a rule may have (ELBv2 API)."""

_COMPARED_APART = frozenset({"Port", "DefaultActions", "Certificates", "MutualAuthentication"})
"""Fields of a listener that are its identity or that AWS describes in another form than it takes them."""

LAYER_4 = frozenset({"TCP", "UDP", "TCP_UDP", "TLS"})


def load_balancer_needs_replacement(wanted: LoadBalancer, existing: Described) -> bool:
    """True if type or scheme differ, which AWS cannot modify.

    The old load balancer is deleted, then a new one is created under a new DNS name.
    """
    return (wanted.type, wanted.scheme) != (existing["Type"], existing["Scheme"])


def target_group_needs_replacement(
    wanted: TargetGroup, existing: Described, *, advanced_health_checks: bool = True
) -> bool:
    """True if a new target group must replace the old one: a new ARN, all targets initial.

    `advanced_health_checks` is False for controllers that could not modify an NLB's health check.
    """
    if wanted.target_type != existing["TargetType"] or wanted.protocol != existing["Protocol"]:
        return True
    if wanted.protocol_version and wanted.protocol_version != existing.get("ProtocolVersion"):
        return True
    if wanted.target_control_port != existing.get("TargetControlPort"):
        return True
    if advanced_health_checks or wanted.protocol not in LAYER_4:
        return False
    have, check = elbv2_shapes.read_health_check(existing), wanted.health_check
    return (
        check.protocol != have.protocol
        or (check.matcher is not None and check.matcher != have.matcher)
        or check.interval_seconds != have.interval_seconds
        or check.timeout_seconds != have.timeout_seconds
    )


def health_check_drifted(wanted: HealthCheck, existing: Described) -> bool:
    """True if ModifyTargetGroup is due; path and matcher stay as they are if the model sets none."""
    have = elbv2_shapes.read_health_check(existing)
    # AWS describes defaults for what the model leaves open; they are no drift.
    if wanted.path is None:
        have = replace(have, path=None)
    if wanted.matcher is None:
        have = replace(have, matcher=None)
    return replace(wanted, port=str(wanted.port)) != replace(have, port=str(have.port))


def changed_attributes(wanted: Mapping[str, str], existing: Mapping[str, str]) -> dict[str, str]:
    """The attributes to send: those that AWS describes with another value, or not at all."""
    return {key: value for key, value in wanted.items() if existing.get(key) != value}


def listener_drifted(wanted: Listener, existing: Described, resolve: Resolve) -> bool:
    """True if ModifyListener is due; certificates after the first have calls of their own."""
    actions = elbv2_shapes.normal_actions(wanted.default_actions, resolve)
    if actions != elbv2_shapes.read_actions(existing["DefaultActions"]):
        return True
    if wanted.certificates:
        described = [item["CertificateArn"] for item in existing.get("Certificates") or ()]
        # Only the first: DescribeListeners lists the default certificate alone.
        if wanted.certificates[0] not in described[:1]:
            return True
    request = elbv2_shapes.request_listener(wanted, resolve)
    if any(existing.get(key) != value for key, value in request.items() if key not in _COMPARED_APART):
        return True
    return _mutual_authentication(wanted) != _described_mutual_authentication(existing)


def _mutual_authentication(wanted: Listener) -> tuple[str, str]:
    mutual = wanted.mutual_authentication
    return (mutual.mode, mutual.trust_store_arn) if mutual else ("off", "")


def _described_mutual_authentication(existing: Described) -> tuple[str, str]:
    mutual = existing.get("MutualAuthentication") or {}
    return mutual.get("Mode", "off"), mutual.get("TrustStoreArn", "")


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """The calls that turn the rules of one listener into the wanted ones.

    Attributes:
        priorities: new priorities by rule ARN, one SetRulePriorities call.
        modify: wanted rules by the ARN of the rule that becomes it in place.
        create: new rules.
        delete: ARNs of rules to delete.
        delete_first: True for old controllers, which delete before they create, so that requests meet a gap.
        kept: wanted rules by the ARN of the rule that stays or only moves.
    """

    priorities: Mapping[str, int]
    modify: Mapping[str, ListenerRule]
    create: tuple[ListenerRule, ...]
    delete: tuple[str, ...]
    delete_first: bool
    kept: Mapping[str, ListenerRule]


def rule_changes(
    wanted: Sequence[ListenerRule], existing: Sequence[Described], resolve: Resolve, release: Release
) -> RuleChanges:
    """Compare the rules of one listener; `existing` is without the default rule.

    Since v2.12 equal rules only move, and unwanted rules are pushed below all others before they are
    deleted, so that no request meets a gap. Before, rules were matched by priority alone and deleted first:
    a rule inserted at the front rewrites all rules behind it, one by one.
    """
    if not release.has(Fact.RULES_WITHOUT_GAP):
        return _changes_by_priority(wanted, existing, resolve)
    left = list(existing)
    kept: dict[str, ListenerRule] = {}
    moves: dict[str, int] = {}
    unmatched: dict[int, ListenerRule] = {}
    for rule in wanted:
        equal = [have for have in left if _is_same_rule(rule, have, resolve)]
        if not equal:
            unmatched[rule.priority] = rule
            continue
        # Of several equal rules the one that is in place: DescribeRules need not list them by priority.
        same = next((have for have in equal if _priority(have) == rule.priority), equal[0])
        left.remove(same)
        kept[same["RuleArn"]] = rule
        if _priority(same) != rule.priority:
            moves[same["RuleArn"]] = rule.priority
    in_place = {
        have["RuleArn"]: unmatched.pop(_priority(have)) for have in left if _priority(have) in unmatched
    }
    delete = tuple(have["RuleArn"] for have in sorted(left, key=_priority) if have["RuleArn"] not in in_place)
    # Only where others move: a rule without successor is deleted at its place.
    pushed = zip(reversed(delete), range(LOWEST_PRIORITY, 0, -1), strict=False) if moves else ()
    return RuleChanges(
        priorities={**dict(pushed), **moves},
        modify=in_place,
        create=tuple(unmatched[priority] for priority in sorted(unmatched)),
        delete=delete,
        delete_first=False,
        kept=kept,
    )


def _changes_by_priority(
    wanted: Sequence[ListenerRule], existing: Sequence[Described], resolve: Resolve
) -> RuleChanges:
    by_priority = {_priority(have): have for have in existing}
    kept: dict[str, ListenerRule] = {}
    modify: dict[str, ListenerRule] = {}
    create: list[ListenerRule] = []
    for rule in sorted(wanted, key=lambda rule: rule.priority):
        have = by_priority.pop(rule.priority, None)
        if have is None:
            create.append(rule)
        elif _is_same_rule(rule, have, resolve):
            kept[have["RuleArn"]] = rule
        else:
            modify[have["RuleArn"]] = rule
    return RuleChanges(
        priorities={},
        modify=modify,
        create=tuple(create),
        delete=tuple(by_priority[priority]["RuleArn"] for priority in sorted(by_priority)),
        delete_first=True,
        kept=kept,
    )


def _priority(rule: Described) -> int:
    return int(rule["Priority"])


def _is_same_rule(wanted: ListenerRule, existing: Described, resolve: Resolve) -> bool:
    return (
        elbv2_shapes.normal_conditions(wanted.conditions)
        == elbv2_shapes.normal_conditions(elbv2_shapes.read_conditions(existing["Conditions"]))
        and elbv2_shapes.normal_actions(wanted.actions, resolve)
        == elbv2_shapes.read_actions(existing["Actions"])
        and wanted.transforms == elbv2_shapes.read_transforms(existing.get("Transforms") or ())
    )
