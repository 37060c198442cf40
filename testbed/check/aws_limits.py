"""Limits of AWS and of an ALB: what the API refuses, and when the ALB resets a stream.

Source: ALB guide, "Path conditions": the characters of a pattern; "Quotas": 5 values and 5 wildcards a rule,
100 rules a load balancer by default; "Load balancer attributes": idle timeout of 1 to 4000 s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from testbed.check.findings import Severity
from testbed.check.manifest_reading import Reading
from testbed.check.planned_group import PlannedGroup, source_of
from testbed.check.rule_registry import Trap, rule
from testbed.kubernetes import object_fields
from testbed.lb_controller.core.stack import GRPC
from testbed.lb_controller.ingress.rule_conditions import PATH
from testbed.settings import PRODUCTION

IDLE_TIMEOUT = "idle_timeout.timeout_seconds"
_IDLE_SECONDS = range(1, 4001)
_MOST_VALUES = 5
_MOST_WILDCARDS = 5
_MOST_RULES = 100
_LONGEST_VALUE = 128
_NOT_IN_PATHS = re.compile(r"""[^A-Za-z0-9_.$/~"'@:+&*?-]""")


@rule("idle-streams-are-cut", Severity.WARNING, advice="idle-timeout-cuts-streams")
def idle_streams_are_cut(reading: Reading) -> Iterator[Trap]:
    """The ALB resets a stream that is silent for its idle timeout; an NLB allowed 350 s."""
    for planned in reading.groups:
        grpc = next((one for one in planned.stack.target_groups if one.protocol_version == GRPC), None)
        text = _idle_timeout(planned)
        if grpc is None or not _is_allowed(text):
            continue
        seconds = float(text) if text else PRODUCTION.alb_idle_timeout
        # At least as long as the NLB's: a stream that lived behind the NLB lives on.
        if seconds >= PRODUCTION.nlb_idle_timeout:
            continue
        member = planned.member_of(grpc)
        where = planned.annotation_line(member, "load-balancer-attributes")
        source = f"{IDLE_TIMEOUT} = {text}" if text else f"{IDLE_TIMEOUT} is not set, so it is {seconds:g}"
        yield Trap(
            where,
            f"streams to the {planned.target_group_title(grpc)} of Ingress "
            f"{object_fields.key(member.ingress)} ({where}) are reset after {seconds:g} s without data, "
            f"HTTP/2 PINGs not counting ({source}); an NLB allows {PRODUCTION.nlb_idle_timeout:g} s",
            "set idle_timeout.timeout_seconds in load-balancer-attributes, or send application heartbeats",
        )


@rule("beyond-aws-limits", Severity.ERROR, advice="beyond-aws-limits")
def beyond_aws_limits(reading: Reading) -> Iterator[Trap]:
    """AWS refuses a rule with more than 5 values, more rules than the quota, or such an idle timeout."""
    for planned in reading.groups:
        yield from _refused_idle_timeout(planned)
        yield from _refused_rules(planned)


@rule("path-pattern-refused", Severity.ERROR)
def path_pattern_refused(reading: Reading) -> Iterator[Trap]:
    """AWS refuses a path with characters that no path pattern may have, such as a regular expression's."""
    for planned in reading.groups:
        for item in planned.stack.rules:
            for value in (one for found in item.conditions if found.field == PATH for one in found.values):
                wrong = "".join(dict.fromkeys(_NOT_IN_PATHS.findall(value)))
                if not wrong and len(value) <= _LONGEST_VALUE:
                    continue
                why = f"it has {' '.join(wrong)}" if wrong else f"it has {len(value)} characters"
                source = source_of(item)
                yield Trap(
                    planned.rule_line(item),
                    f"AWS refuses the path {value} of Ingress {source.namespace}/{source.name}: {why}, and "
                    f"the "
                    "whole group gets FailedDeployModel; a path is no regular expression here",
                    "write it with * and ?, or set use-regex-path-match (v2.14.1 and later)",
                )


def _refused_idle_timeout(planned: PlannedGroup) -> Iterator[Trap]:
    text = _idle_timeout(planned)
    if _is_allowed(text):
        return
    members = planned.group.members
    member = next(
        (one for one in members if IDLE_TIMEOUT in str(object_fields.annotations_of(one.ingress))),
        members[0],  # of the IngressClassParams
    )
    where = planned.annotation_line(member, "load-balancer-attributes")
    yield Trap(
        where,
        f"AWS refuses {IDLE_TIMEOUT}={text} of Ingress {object_fields.key(member.ingress)} ({where}): it "
        f"must be {_IDLE_SECONDS[0]} to {_IDLE_SECONDS[-1]} s",
        f"set it to {_IDLE_SECONDS[0]} to {_IDLE_SECONDS[-1]} s",
    )


def _refused_rules(planned: PlannedGroup) -> Iterator[Trap]:
    do = "split the rule, or have the quota raised"
    for item in planned.stack.rules:
        values = [value for one in item.conditions for value in (*one.values, *one.regex_values, *one.query)]
        # Without the regular expressions: `*` and `?` are no wildcards in them.
        texts = [value for one in item.conditions for value in one.values]
        wildcards = sum(text.count("*") + text.count("?") for text in texts)
        for count, most, what in (
            (len(values), _MOST_VALUES, "condition values"),
            (wildcards, _MOST_WILDCARDS, "wildcards"),
        ):
            if count > most:
                yield Trap(
                    planned.rule_line(item),
                    f"AWS refuses {planned.rule_title(item)}: it has {count} {what}, a rule can only have "
                    f"{most}",
                    do,
                )
    rules = planned.stack.rules
    if len(rules) > _MOST_RULES:
        first = rules[_MOST_RULES]
        yield Trap(
            planned.rule_line(first),
            f"group {planned.group.id} has {len(rules)} rules, and a load balancer {_MOST_RULES} unless its "
            f"quota is raised: AWS refuses all from {planned.rule_title(first)} on with TooManyRules",
            do,
        )


def _idle_timeout(planned: PlannedGroup) -> str | None:
    balancer = planned.stack.load_balancer
    return balancer.attributes.get(IDLE_TIMEOUT) if balancer else None


def _is_allowed(text: str | None) -> bool:
    return text is None or (text.isdecimal() and int(text) in _IDLE_SECONDS)
