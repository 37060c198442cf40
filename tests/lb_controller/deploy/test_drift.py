from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.lb_controller.core.stack import Action, Condition, FixedResponse, ListenerRule
from testbed.lb_controller.deploy import drift, elbv2_shapes

Rules = dict[int, tuple[str, str]]
"""Path and status by priority."""

RULES = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["200", "404"])), max_size=6)


def wanted_rules(pairs: list[tuple[str, str]]) -> list[ListenerRule]:
    return [
        ListenerRule(
            listener_port=80,
            priority=priority,
            conditions=(Condition(field="path-pattern", values=(path,)),),
            actions=(Action(type="fixed-response", fixed_response=FixedResponse(status_code=status)),),
        )
        for priority, (path, status) in enumerate(pairs, start=1)
    ]


def described(rules: list[ListenerRule]) -> list[dict[str, Any]]:
    return [
        {
            "RuleArn": f"arn:{rule.priority}",
            "Priority": str(rule.priority),
            "Conditions": elbv2_shapes.request_conditions(rule.conditions),
            "Actions": elbv2_shapes.request_actions(rule.actions, str),
        }
        for rule in rules
    ]


def content(rule: ListenerRule) -> tuple[str, str]:
    response = rule.actions[0].fixed_response
    assert response is not None
    return rule.conditions[0].values[0], response.status_code


@given(RULES, RULES, st.sampled_from(list(LB_CONTROLLER_RELEASES.values())))
def test_the_changes_lead_from_any_rules_to_any_others_through_valid_states(
    before: list[tuple[str, str]], after: list[tuple[str, str]], release: Release
) -> None:
    old, wanted = wanted_rules(before), wanted_rules(after)
    state = {f"arn:{rule.priority}": (rule.priority, content(rule)) for rule in old}
    changes = drift.rule_changes(wanted, described(old), str, release)

    def check() -> None:
        priorities = [priority for priority, _ in state.values()]
        assert len(set(priorities)) == len(priorities)
        assert changes.kept.keys() <= state.keys()

    if changes.delete_first:
        for arn in changes.delete:
            del state[arn]
    for arn, priority in changes.priorities.items():
        state[arn] = priority, state[arn][1]
    check()
    for arn, rule in changes.modify.items():
        assert state[arn][0] == rule.priority
        state[arn] = rule.priority, content(rule)
    for rule in changes.create:
        state[f"new:{rule.priority}"] = rule.priority, content(rule)
        check()
    if not changes.delete_first:
        for arn in changes.delete:
            del state[arn]
    assert dict(state.values()) == {rule.priority: content(rule) for rule in wanted}


@given(RULES, st.sampled_from(list(LB_CONTROLLER_RELEASES.values())), st.randoms(use_true_random=False))
def test_equal_rules_need_nothing_in_whatever_order_aws_lists_them(
    rules: list[tuple[str, str]], release: Release, dice: random.Random
) -> None:
    wanted = wanted_rules(rules)
    existing = described(wanted)
    dice.shuffle(existing)
    changes = drift.rule_changes(wanted, existing, str, release)
    assert [*changes.priorities, *changes.modify, *changes.create, *changes.delete] == []


def test_today_a_rule_that_stays_is_never_rewritten() -> None:
    old = wanted_rules([("a", "200"), ("b", "200")])
    wanted = wanted_rules([("new", "200"), ("a", "200"), ("b", "200")])
    changes = drift.rule_changes(wanted, described(old), str, LB_CONTROLLER_RELEASES.newest)
    assert changes.priorities == {"arn:1": 2, "arn:2": 3}
    assert not changes.modify
    assert [rule.priority for rule in changes.create] == [1]


def test_what_goes_is_pushed_to_the_end_before_others_take_its_place() -> None:
    old = wanted_rules([("a", "200"), ("b", "200")])
    changes = drift.rule_changes(
        wanted_rules([("b", "200")]), described(old), str, LB_CONTROLLER_RELEASES.newest
    )
    assert changes.priorities == {"arn:1": drift.LOWEST_PRIORITY, "arn:2": 1}
    assert changes.delete == ("arn:1",)


@pytest.mark.parametrize(
    ("wanted", "existing", "changed"),
    [
        ({"stickiness.enabled": "false"}, {}, {"stickiness.enabled": "false"}),
        ({"stickiness.enabled": "false"}, {"stickiness.enabled": "true"}, {"stickiness.enabled": "false"}),
        ({"stickiness.enabled": "true"}, {}, {"stickiness.enabled": "true"}),
        ({"a": "1"}, {"a": "1", "b": "2"}, {}),
    ],
    ids=["not described", "back to the default", "new", "already"],
)
def test_only_attributes_that_differ_are_sent(
    wanted: dict[str, str], existing: dict[str, str], changed: dict[str, str]
) -> None:
    assert drift.changed_attributes(wanted, existing) == changed
