from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller import drift, elbv2_shapes
from testbed.lb_controller.inputs import Version
from testbed.lb_controller.stack import Action, Condition, FixedResponse, ListenerRule

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


@given(RULES, RULES, st.sampled_from(Version))
def test_the_changes_lead_from_any_rules_to_any_others_through_valid_states(
    before: list[tuple[str, str]], after: list[tuple[str, str]], version: Version
) -> None:
    old, wanted = wanted_rules(before), wanted_rules(after)
    state = {f"arn:{rule.priority}": (rule.priority, content(rule)) for rule in old}
    changes = drift.rule_changes(wanted, described(old), str, version)

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


@given(RULES, st.sampled_from(Version))
def test_equal_rules_need_nothing(rules: list[tuple[str, str]], version: Version) -> None:
    wanted = wanted_rules(rules)
    changes = drift.rule_changes(wanted, described(wanted), str, version)
    assert [*changes.priorities, *changes.modify, *changes.create, *changes.delete] == []


def test_today_a_rule_that_stays_is_never_rewritten() -> None:
    old = wanted_rules([("a", "200"), ("b", "200")])
    wanted = wanted_rules([("new", "200"), ("a", "200"), ("b", "200")])
    changes = drift.rule_changes(wanted, described(old), str, Version.NEWEST)
    assert changes.priorities == {"arn:1": 2, "arn:2": 3}
    assert not changes.modify
    assert [rule.priority for rule in changes.create] == [1]


def test_what_goes_is_pushed_to_the_end_before_others_take_its_place() -> None:
    old = wanted_rules([("a", "200"), ("b", "200")])
    changes = drift.rule_changes(wanted_rules([("b", "200")]), described(old), str, Version.NEWEST)
    assert changes.priorities == {"arn:1": drift.LOWEST_PRIORITY, "arn:2": 1}
    assert changes.delete == ("arn:1",)


@pytest.mark.parametrize(
    ("wanted", "existing", "changed"),
    [
        ({"stickiness.enabled": "false"}, {}, {}),
        ({"stickiness.enabled": "false"}, {"stickiness.enabled": "true"}, {"stickiness.enabled": "false"}),
        ({"stickiness.enabled": "true"}, {}, {"stickiness.enabled": "true"}),
        ({"a": "1"}, {"a": "1", "b": "2"}, {}),
    ],
    ids=["default", "back to the default", "new", "already"],
)
def test_only_attributes_that_differ_are_sent(
    wanted: dict[str, str], existing: dict[str, str], changed: dict[str, str]
) -> None:
    assert drift.changed_attributes(wanted, existing) == changed
