from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.aws.query_parameters import nested


def test_a_form_is_read_as_boto3_has_it() -> None:
    form = {
        "Action": "CreateRule",
        "Version": "2015-12-01",
        "ListenerArn": "arn",
        "Actions.member.1.Type": "forward",
        "Actions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn": "a",
        "Actions.member.1.ForwardConfig.TargetGroups.member.2.TargetGroupArn": "b",
        "Conditions": "",
    }
    groups = [{"TargetGroupArn": "a"}, {"TargetGroupArn": "b"}]
    assert nested(form) == {
        "ListenerArn": "arn",
        "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
        "Conditions": "",
    }


def test_members_are_in_the_order_of_their_numbers() -> None:
    values = [str(number) for number in range(1, 13)]
    form = {f"Values.member.{number}": number for number in reversed(values)}
    assert nested(form) == {"Values": values}


@given(st.dictionaries(st.text("aA.1", max_size=6), st.text(max_size=2), max_size=6))
def test_no_form_fails(form: dict[str, str]) -> None:
    nested(form)
