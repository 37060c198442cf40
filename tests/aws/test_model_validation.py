from __future__ import annotations

from typing import Any

import pytest

from testbed.aws.model_validation import refusal

RULE: dict[str, Any] = {
    "ListenerArn": "arn",
    "Priority": "1",
    "Conditions": [{"Field": "path-pattern"}],
    "Actions": [{"Type": "forward"}],
}


def told(operation: str, parameters: dict[str, Any]) -> str:
    found = refusal("elbv2", operation, parameters)
    return found.message if found else ""


def test_a_call_as_the_model_has_it_is_taken() -> None:
    assert told("CreateRule", RULE) == ""


def test_an_operation_that_the_service_has_not_is_refused() -> None:
    found = refusal("elbv2", "CreateRules", {})
    assert found is not None
    assert found.code == "InvalidAction"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"Priority": "0"},
            "Value '0' at 'priority' failed to satisfy constraint: Member must have value greater",
        ),
        ({"Priority": "50001"}, "Member must have value less than or equal to 50000"),
        ({"Priority": "x"}, "Member must be of type integer"),
        ({"Actions": [{"Type": "answer"}]}, "Value 'answer' at 'actions.1.member.type' failed"),
        ({"Actions": [{}]}, "Value null at 'actions.1.member.type' failed to satisfy constraint"),
        ({"Conditions": "x"}, "at 'conditions' failed to satisfy constraint: Member must be of type list"),
        ({"Actions": [{"Type": "forward", "ForwardConfig": "x"}]}, "Member must be of type structure"),
        ({"ListenerArn": ["x"]}, "Member must be of type string"),
        ({"Conditions": [{"Field": "x" * 65}]}, "Member must have length less than or equal to 64"),
    ],
)
def test_what_the_model_does_not_allow_is_refused_in_the_words_of_aws(
    changes: dict[str, Any], text: str
) -> None:
    message = told("CreateRule", {**RULE, **changes})
    assert message.startswith("1 validation error detected: ")
    assert text in message


def test_all_errors_of_a_call_are_told_at_once() -> None:
    message = told("CreateRule", {"Priority": "0"})
    assert message.startswith("4 validation errors detected: ")


@pytest.mark.parametrize(("value", "is_taken"), [("5", True), ("4", False), ("301", False), ("", False)])
def test_health_checks_keep_an_interval_that_aws_takes(value: str, is_taken: bool) -> None:
    asked = {"Name": "a", "HealthCheckIntervalSeconds": value}
    assert (told("CreateTargetGroup", asked) == "") is is_taken
