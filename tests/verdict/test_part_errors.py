"""An error of a part of the testbed: whatever the requests say, the run proves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from testbed.journal import Event, Log, RunFinished
from testbed.verdict.findings import Reason, Result
from testbed.verdict.part_errors import part_errors
from testbed.verdict.verdict import Verdict, compute
from tests.made_journals import EPOCH, Story

WORDS = "nlb-envoy: Envoy refuses a Listener: Address in use"


def error(time: float = 1.0, component: str = "nlb-envoy", level: str = "error") -> Log:
    words = {"message": "Envoy refuses a Listener", "line": "Address in use"}
    return Log(time=EPOCH + time, component=component, level=level, **words)


def judged(events: Sequence[Event], *logs: Log) -> Verdict:
    end = next(number for number, event in enumerate(events) if isinstance(event, RunFinished))
    return compute([*events[:end], *logs, *events[end:]])


def test_a_listener_that_envoy_refuses_keeps_a_run_without_a_loss_from_passing(events: list[Event]) -> None:
    assert judged(events).result is Result.PASS
    verdict = judged(events, error(Story(rate=20.0).start(2) + 0.1 - EPOCH))
    (finding,) = verdict.findings
    assert (verdict.result, finding.reason) == (Result.INCONCLUSIVE, Reason.PART_FAILED)
    assert finding.text == f"in step 2, {WORDS}"


def test_an_error_before_the_first_step_counts_too(events: list[Event]) -> None:
    assert list(part_errors(judged(events, error(-10.0)).history)) == [f"before the first step, {WORDS}"]


def test_what_a_part_says_again_and_again_is_one_reason(events: list[Event]) -> None:
    (text,) = part_errors(judged(events, *(error(-10.0 + number) for number in range(3))).history)
    assert text == f"before the first step, {WORDS} (3 times)"


@pytest.mark.parametrize(
    ("component", "level"),
    [
        ("external-dns", "error"),
        ("external-dns/blue", "error"),
        ("lb-controller", "error"),
        ("load-balancers", "warning"),
    ],
)
def test_what_controllers_say_and_what_is_no_error_is_no_reason_by_itself(
    events: list[Event], component: str, level: str
) -> None:
    assert judged(events, error(component=component, level=level)).result is Result.PASS


def test_an_error_after_very_many_log_lines_is_not_lost(events: list[Event]) -> None:
    chatter = [replace(error(), component="external-dns", level="debug")] * 5_001
    assert judged(events, *chatter, error()).result is Result.INCONCLUSIVE
