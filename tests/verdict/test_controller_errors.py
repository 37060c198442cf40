"""Errors of controllers: notes beside the verdict, each once."""

from __future__ import annotations

import pytest

from testbed.journal import ControllerEvent, Event, Log, RunFinished
from testbed.verdict.controller_errors import ControllerError, controller_errors, sentence
from testbed.verdict.findings import Result
from testbed.verdict.history import History
from testbed.verdict.verdict import compute
from tests.made_journals import EPOCH

WHO = "service/default/envoy"


def warning(time: float, message: str = "deletion protection is enabled", who: str = WHO) -> ControllerEvent:
    return ControllerEvent(
        time=EPOCH + time, object=who, type="Warning", reason="FailedDeployModel", message=message
    )


def success(time: float, reason: str = "SuccessfullyReconciled") -> ControllerEvent:
    return ControllerEvent(time=EPOCH + time, object=WHO, type="Normal", reason=reason, message="done")


def logged(time: float, level: str = "error", component: str = "external-dns") -> Log:
    return Log(time=EPOCH + time, component=component, level=level, message="failed to submit", line="…")


def errors(*events: Event) -> list[ControllerError]:
    history = History()
    for event in events:
        history.add(event)
    return list(controller_errors(history))


def test_an_error_is_listed_once_with_its_first_and_last_time() -> None:
    (error,) = errors(warning(1), warning(2), warning(9))
    assert (error.who, error.text) == (WHO, "FailedDeployModel: deletion protection is enabled")
    assert (error.first - EPOCH, error.last - EPOCH, error.count, error.has_passed) == (1, 9, 3, False)


@pytest.mark.parametrize(
    "message",
    [
        "Throttling: Rate exceeded\n\tstatus code: 400, request id: 8441d69a-f93b-4dd8-ae78-{}",
        "operation error, https response error StatusCode: 400, RequestID: 8441d69a-{}, api error Throttling",
    ],
)
def test_the_ids_of_aws_calls_make_no_new_error(message: str) -> None:
    (error,) = errors(warning(1, message.format("1")), warning(2, message.format("2")))
    assert error.count == 2
    assert "8441d69a" not in error.text
    assert "Throttling" in error.text
    assert sentence(warning(1, message.format("1"))) == sentence(warning(1, message.format("2")))


@pytest.mark.parametrize("reason", ["SuccessfullyReconciled", "EnsuredLoadBalancer", "DeletedLoadBalancer"])
def test_an_error_has_passed_when_the_controller_succeeded_after_it(reason: str) -> None:
    assert [one.has_passed for one in errors(warning(1), success(2, reason))] == [True]
    assert [one.has_passed for one in errors(warning(1), success(2, reason), warning(3))] == [False]


def test_an_attempt_is_no_success() -> None:
    assert [one.has_passed for one in errors(warning(1), success(2, "EnsuringLoadBalancer"))] == [False]


def test_the_success_of_another_object_lets_no_error_pass() -> None:
    assert [one.has_passed for one in errors(warning(1, who="ingress/default/web"), success(2))] == [False]


def test_errors_of_external_dns_are_listed_and_what_else_it_logs_is_not() -> None:
    (error,) = errors(logged(1), logged(2), logged(3, "warning"), logged(4, component="lb-controller"))
    assert (error.who, error.text, error.count) == ("external-dns", "failed to submit", 2)


def test_an_error_of_a_controller_is_no_failure_of_the_run(events: list[Event]) -> None:
    end = next(number for number, event in enumerate(events) if isinstance(event, RunFinished))
    verdict = compute([*events[:end], warning(1), logged(2), *events[end:]])
    assert verdict.result is Result.PASS
    assert len(controller_errors(verdict.history)) == 2


def test_an_event_says_in_one_sentence_what_could_not_be_done() -> None:
    assert sentence(warning(1)) == f"{WHO}: FailedDeployModel: deletion protection is enabled"
    assert sentence(logged(1, component="external-dns/blue")) == "external-dns/blue: failed to submit"
    assert sentence(success(1)) == ""
    assert sentence(logged(1, "debug")) == ""
