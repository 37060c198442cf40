from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.aws.in_process import Write
from testbed.lb_controller.offline.forwarding_state import ForwardingState, forwards, targets

ACTIONS = ("RegisterTargets", "DeregisterTargets")


def test_targets_are_addresses_with_ports() -> None:
    named = {"Targets.member.1.Id": "10.0.0.4", "Targets.member.1.Port": "80", "Targets.member.2.Id": "i-1"}
    assert targets(named) == ["10.0.0.4:80", "i-1:"]


def test_groups_of_weight_nought_are_left_out() -> None:
    one, two = (
        "DefaultActions.member.1.TargetGroupArn",
        "Actions.member.1.TargetGroups.member.1.TargetGroupArn",
    )
    weight = two.replace("TargetGroupArn", "Weight")
    assert forwards({one: "a", two: "b", weight: "0"}) == ("a",)


@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.sampled_from("ab"), st.sampled_from("12"))))
def test_the_targets_of_a_group_are_those_registered_and_not_deregistered_since(
    history: list[tuple[str, str, str]],
) -> None:
    state, expected = ForwardingState(), dict[str, set[str]]()
    for action, group, target in history:
        named = {"TargetGroupArn": group, "Targets.member.1.Id": target, "Targets.member.1.Port": "80"}
        state.play(Write("elasticloadbalancing", action, named, 200))
        known = expected.setdefault(group, set())
        known.add(f"{target}:80") if action == ACTIONS[0] else known.discard(f"{target}:80")
    assert state.targets == expected
