"""What has to change in AWS: modify, replace or leave, decided from what is wanted and what is described.

Pure. Sources: pkg/deploy/elbv2 of the AWS Load Balancer Controller (`*_synthesizer.go`, `*_manager.go`) and
the conformance cases deploy-drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from testbed.lb_controller import elbv2_shapes
from testbed.lb_controller.elbv2_shapes import Resolve
from testbed.lb_controller.inputs import Version
from testbed.lb_controller.stack import HealthCheck, Listener, ListenerRule, LoadBalancer, TargetGroup

Described = Mapping[str, Any]
"""A resource as a Describe call returns it."""

LOWEST_PRIORITY = 50_000
"""The largest priority that a rule may have (ELBv2 API)."""

LAYER_4 = frozenset({"TCP", "UDP", "TCP_UDP", "TLS"})

ATTRIBUTE_DEFAULTS: Mapping[str, str] = {
    "access_logs.s3.enabled": "false",
    "client_keep_alive.seconds": "3600",
    "deletion_protection.enabled": "false",
    "deregistration_delay.timeout_seconds": "300",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.algorithm.type": "round_robin",
    "proxy_protocol_v2.enabled": "false",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http2.enabled": "true",
    "slow_start.duration_seconds": "0",
    "stickiness.enabled": "false",
    "tcp.idle_timeout.seconds": "350",
}
"""What AWS describes for a resource whose creator set nothing (ELBv2 API, ...Attribute)."""

LOAD_BALANCER_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "application": {"load_balancing.cross_zone.enabled": "true"},
    "network": {"load_balancing.cross_zone.enabled": "false"},
}
"""The default that differs by the type of the balancer."""


def load_balancer_needs_replacement(wanted: LoadBalancer, existing: Described) -> bool:
    """Type and scheme cannot be modified: the old one goes, then a new one comes, under a new DNS name."""
    return (wanted.type, wanted.scheme) != (existing["Type"], existing["Scheme"])


def target_group_needs_replacement(
    wanted: TargetGroup, existing: Described, *, advanced_health_checks: bool = True
) -> bool:
    """Whether a new target group must take the place of the old one: a new ARN, all targets initial.

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
    """Whether ModifyTargetGroup is due; what the model leaves open (path, matcher) stays as it is."""
    have = elbv2_shapes.read_health_check(existing)
    if wanted.path is None:
        have = replace(have, path=None)
    if wanted.matcher is None:
        have = replace(have, matcher=None)
    return replace(wanted, port=str(wanted.port)) != replace(have, port=str(have.port))


def changed_attributes(wanted: Mapping[str, str], existing: Mapping[str, str]) -> dict[str, str]:
    """The attributes to send: those that AWS does not have like that already, by itself or from before."""
    have = {**ATTRIBUTE_DEFAULTS, **existing}
    return {key: value for key, value in wanted.items() if have.get(key) != value}


def listener_drifted(wanted: Listener, existing: Described, resolve: Resolve) -> bool:
    """Whether ModifyListener is due; certificates beyond the first have calls of their own."""
    if wanted.protocol != existing["Protocol"]:
        return True
    actions = elbv2_shapes.normal_actions(wanted.default_actions, resolve)
    if actions != elbv2_shapes.read_actions(existing["DefaultActions"]):
        return True
    if wanted.certificates:
        described = [item["CertificateArn"] for item in existing.get("Certificates") or ()]
        if wanted.certificates[0] not in described[:1]:
            return True
    if wanted.ssl_policy is not None and wanted.ssl_policy != existing.get("SslPolicy"):
        return True
    if wanted.alpn_policy and [wanted.alpn_policy] != list(existing.get("AlpnPolicy") or ()):
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
    """How the rules of one listener come to be what is wanted.

    Attributes:
        priorities: new priorities by rule ARN, one SetRulePriorities call.
        modify: wanted rules by the ARN of the rule that becomes it in place.
        create: new rules.
        delete: ARNs of rules that go.
        delete_first: old controllers delete before they create, so that requests meet a gap.
        kept: wanted rules by ARN of those that stand already or only move.
    """

    priorities: Mapping[str, int]
    modify: Mapping[str, ListenerRule]
    create: tuple[ListenerRule, ...]
    delete: tuple[str, ...]
    delete_first: bool
    kept: Mapping[str, ListenerRule]


def rule_changes(
    wanted: Sequence[ListenerRule], existing: Sequence[Described], resolve: Resolve, version: Version
) -> RuleChanges:
    """Compare the rules of one listener; `existing` is without the default rule.

    Since v2.13 equal rules only move, and what must go is pushed below everything before it is deleted, so
    that no request meets a gap. Before, rules were matched by priority alone and deleted first: when a rule
    is inserted at the front, all rules behind it are rewritten one by one.
    """
    if version is Version.V2_1:
        return _changes_by_priority(wanted, existing, resolve)
    left = list(existing)
    kept: dict[str, ListenerRule] = {}
    moves: dict[str, int] = {}
    unmatched: dict[int, ListenerRule] = {}
    for rule in wanted:
        same = next((have for have in left if _is_same_rule(rule, have, resolve)), None)
        if same is None:
            unmatched[rule.priority] = rule
            continue
        left.remove(same)
        kept[same["RuleArn"]] = rule
        if _priority(same) != rule.priority:
            moves[same["RuleArn"]] = rule.priority
    in_place = {
        have["RuleArn"]: unmatched.pop(_priority(have)) for have in left if _priority(have) in unmatched
    }
    delete = tuple(have["RuleArn"] for have in sorted(left, key=_priority) if have["RuleArn"] not in in_place)
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
