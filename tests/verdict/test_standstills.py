"""What happened while the main process stood still is inconclusive: no pass, and no failure by itself."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from testbed import journal
from testbed.journal import Event
from testbed.settings import PATIENCE
from testbed.verdict.findings import Reason, Result
from testbed.verdict.standstills import is_within, until_all_runs
from testbed.verdict.verdict import Verdict, compute
from tests.verdict.journal_changes import held

AT = 6.0
"""Seconds after the start, in a step in which the NLB serves everything."""


def stopped(events: list[Event], start: float, end: float) -> list[Event]:
    still = journal.Standstill(time=end, start=start)
    return [*events[:-1], still, events[-1]]


def reasons(verdict: Verdict) -> set[Reason]:
    return {finding.reason for finding in verdict.findings}


def test_a_flawless_run_that_stood_still_is_no_pass_and_the_finding_says_when(
    made: ModuleType, events: list[Event]
) -> None:
    assert compute(events).result is Result.PASS
    verdict = compute(stopped(events, made.EPOCH + AT, made.EPOCH + AT + 1.5))
    assert verdict.result is Result.INCONCLUSIVE
    [finding] = verdict.findings
    assert finding.reason is Reason.STOOD_STILL
    assert "did not run for 90 s of production time (1.50 s)" in finding.text


def test_requests_that_waited_for_it_are_no_outage(made: ModuleType, events: list[Event]) -> None:
    waited = held(made.EPOCH + AT, 1.5)(events)
    assert Reason.STALLED in reasons(compute(waited))
    verdict = compute(stopped(waited, made.EPOCH + AT - 0.1, made.EPOCH + AT + 1.3))
    assert Reason.STALLED not in reasons(verdict)
    assert verdict.result is Result.INCONCLUSIVE


def test_an_outage_at_another_time_still_fails(made: ModuleType, events: list[Event]) -> None:
    waited = held(made.EPOCH + AT, 1.5)(events)
    verdict = compute(stopped(waited, made.EPOCH + 23.4, made.EPOCH + 24.4))
    assert Reason.STALLED in reasons(verdict)
    assert verdict.result is Result.FAIL


@pytest.mark.parametrize(("distance", "result"), [(0.0, Result.INCONCLUSIVE), (9.0, Result.FAIL)])
def test_a_request_that_was_lost_then_is_no_failure_and_any_other_is(
    made: ModuleType, events: list[Event], distance: float, result: Result
) -> None:
    lost = next(one for one in events if isinstance(one, journal.Request) and one.intended > made.EPOCH + AT)
    changed = [
        replace(one, outcome="failed", status="", peer="", pod="", listener="", detail="DNS: no answer")
        if one is lost
        else one
        for one in events
    ]
    changed = [one for one in changed if not (isinstance(one, journal.Access) and one.id == lost.id)]
    start = lost.intended + distance
    assert compute(stopped(changed, start - 0.1, start + 1.0)).result is result


def test_an_expectation_of_the_same_step_is_in_doubt_and_one_of_another_fails(
    made: ModuleType, events: list[Event]
) -> None:
    failed = next(
        one for one in events if isinstance(one, journal.Expectation) and one.time > made.EPOCH + AT
    )
    changed = [replace(one, passed=False) if one is failed else one for one in events]
    verdict = compute(stopped(changed, failed.time - 0.6, failed.time - 0.01))
    assert Reason.EXPECTATION_FAILED not in reasons(verdict)
    assert verdict.result is Result.INCONCLUSIVE
    other = compute(stopped(changed, events[-1].time - 0.6, events[-1].time - 0.01))
    assert Reason.EXPECTATION_FAILED in reasons(other)


def test_clients_have_a_moment_to_go_on_and_intervals_that_only_touch_do_not_meet() -> None:
    assert until_all_runs([(1.0, 2.0)]) == [(1.0, 2.0 + PATIENCE.stall)]
    assert is_within(1.5, 3.0, [(1.0, 2.0)])
    assert not is_within(2.0, 3.0, [(1.0, 2.0)])
