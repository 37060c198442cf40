"""Stalls, what could have gone unseen, and the longest gap, in made-up runs with answers held back."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed import journal
from testbed.journal import Event
from testbed.settings import PATIENCE, PRODUCTION, shortest_stall
from testbed.verdict.answer_gaps import AnswerGaps, Cause
from testbed.verdict.findings import Reason, Result
from testbed.verdict.verdict import compute
from tests.verdict.journal_changes import (
    both,
    every,
    held,
    nothing_due,
    of,
    settled,
    slept,
    without,
)

STEP_2, STEP_6 = 6.0, 23.4
"""Seconds after the start, in steps in which one balancer serves everything: the NLB, then the ALB."""


def gaps_of(events: list[Event]) -> AnswerGaps:
    return compute(events).gaps


def at_speed(events: list[Event], speed: float) -> list[Event]:
    clock = {"speed": speed, "epoch": events[0].time, "monotonic": 1.0}
    return every(journal.Run, clock=clock)(events)


def test_the_flawless_story_has_no_stall_and_excludes_one(events: list[Event]) -> None:
    gaps = gaps_of(events)
    assert (gaps.stalls, gaps.unseen) == ((), ())
    assert set(gaps.longest) == {"nlb", "alb"}
    assert max(gaps.longest.values()) < gaps.limit


@pytest.mark.parametrize(("at", "balancer"), [(STEP_2, "nlb"), (STEP_6, "alb")])
def test_a_balancer_that_answers_nothing_for_a_minute_fails_even_if_it_answers_later(
    made: ModuleType, events: list[Event], at: float, balancer: str
) -> None:
    verdict = compute(held(made.EPOCH + at, 1.2)(events))
    assert verdict.result is Result.FAIL
    (stall,) = verdict.gaps.stalls
    assert (stall.balancer, stall.part) == (balancer, "")
    assert stall.end - stall.start == pytest.approx(1.2, abs=0.1)
    assert stall.waiting >= 20


def test_a_target_that_answers_nothing_fails_although_the_other_answers(
    made: ModuleType, events: list[Event]
) -> None:
    verdict = compute(held(made.EPOCH + STEP_2, 1.5, field="pod", value="envoy-1")(events))
    assert [(stall.balancer, stall.part) for stall in verdict.gaps.stalls] == [("nlb", "target envoy-1")]
    assert verdict.findings[0].reason is Reason.STALLED


def test_a_node_that_answers_nothing_fails_although_the_other_answers(
    made: ModuleType, events: list[Event]
) -> None:
    node = made.ADDRESSES["nlb"][0]
    verdict = compute(held(made.EPOCH + STEP_2, 1.5, value=node)(events))
    assert [(stall.balancer, stall.part) for stall in verdict.gaps.stalls] == [("nlb", f"node {node}")]


def test_a_backend_that_answers_nothing_fails_although_each_target_has_another(
    made: ModuleType, events: list[Event]
) -> None:
    stopped = {event.id for event in events if isinstance(event, journal.Request) and event.id[-1] in "02468"}
    start, end = made.EPOCH + STEP_2, made.EPOCH + STEP_2 + 1.5
    changed: list[Event] = []
    for event in events:
        if isinstance(event, journal.Access):
            host = "127.80.33.1:50051" if event.id in stopped else "127.80.33.2:50051"
            event = dataclasses.replace(event, upstream=host)
        elif isinstance(event, journal.Request) and event.id in stopped and start <= event.intended < end:
            event = dataclasses.replace(event, time=end)
        changed.append(event)
    verdict = compute(changed)
    parts = [(stall.balancer, stall.part) for stall in verdict.gaps.stalls]
    assert parts == [("nlb", "backend 127.80.33.1:50051")]
    assert verdict.result is Result.FAIL


def test_a_silence_in_both_clocks_too_short_is_no_stall(made: ModuleType, events: list[Event]) -> None:
    change = held(made.EPOCH + STEP_2, 0.8)
    assert compute(change(events)).result is Result.PASS  # 48 s of production
    # 96 s of production, but less than a second of this machine's time.
    assert compute(change(at_speed(events, 120.0))).result is Result.PASS
    # 1.2 s of this machine's time, but only 24 s of production.
    assert compute(held(made.EPOCH + STEP_2, 1.2)(at_speed(events, 20.0))).result is Result.PASS


def test_a_stall_is_a_minute_of_production_and_at_least_a_second() -> None:
    assert shortest_stall(1.0) == PRODUCTION.stall
    assert shortest_stall(60.0) == PATIENCE.stall == shortest_stall(1000.0)


def test_one_request_that_takes_long_at_a_part_is_slow_and_no_stall(
    made: ModuleType, events: list[Event]
) -> None:
    start, end = made.EPOCH + STEP_2, made.EPOCH + STEP_2 + 1.5
    alone = next(
        event.id for event in events if isinstance(event, journal.Request) and event.intended >= start
    )
    changed = [
        dataclasses.replace(
            event, pod="envoy-9", **({"time": end} if isinstance(event, journal.Request) else {})
        )
        if isinstance(event, journal.Request | journal.Access) and event.id == alone
        else event
        for event in events
    ]
    assert compute(changed).findings == ()


def test_slow_answers_that_keep_coming_are_no_stall(events: list[Event]) -> None:
    slow = [
        dataclasses.replace(event, time=event.time + 1.5) if isinstance(event, journal.Request) else event
        for event in events
    ]
    assert gaps_of(slow).stalls == ()


def test_the_generators_own_sleep_is_no_stall_but_an_outage_could_hide_in_it(
    made: ModuleType, events: list[Event]
) -> None:
    verdict = compute(slept(made.EPOCH + STEP_2, 1.2)(events))
    assert verdict.result is Result.INCONCLUSIVE
    assert [finding.reason for finding in verdict.findings] == [Reason.STARTED_LATE]
    assert verdict.gaps.stalls == ()


def test_an_interval_without_requests_proves_nothing(made: ModuleType, events: list[Event]) -> None:
    verdict = compute(nothing_due(made.EPOCH + STEP_2, 1.2)(events))
    assert verdict.result is Result.INCONCLUSIVE
    assert Reason.OUTAGE_UNSEEN in {finding.reason for finding in verdict.findings}


def test_a_request_a_second_proves_nothing(made: ModuleType) -> None:
    verdict = compute(made.Story(rate=1.0).events())
    assert verdict.result is Result.INCONCLUSIVE
    assert verdict.findings[0].reason is Reason.OUTAGE_UNSEEN


def test_a_balancer_that_the_name_left_long_ago_need_not_answer(made: ModuleType) -> None:
    events = made.Story(rate=20.0, moves=((3, "alb"),)).events()
    assert compute(events).result is Result.PASS


def test_a_lost_request_in_a_thin_interval_shows_the_outage_that_the_scenario_accepts(
    made: ModuleType, events: list[Event]
) -> None:
    numbers = [
        number
        for number, event in enumerate(one for one in events if isinstance(one, journal.Request))
        if made.EPOCH + STEP_2 <= event.intended < made.EPOCH + STEP_2 + 1.4
    ]
    lost = [
        of(journal.Request, number, outcome="failed", status="", pod="", peer="", listener="")
        for number in numbers
    ]
    accepted = journal.LossesAccepted(time=made.EPOCH, why="announced")
    assert compute(both(*lost)([*events, accepted])).result is Result.PASS


def test_without_connections_a_balancer_is_in_use_while_the_name_leads_to_it(
    made: ModuleType, events: list[Event]
) -> None:
    silent = without(journal.Connection)(nothing_due(made.EPOCH + STEP_2, 1.2)(events))
    assert [one.balancer for one in gaps_of(silent).unseen] == ["nlb"]


def test_traffic_that_is_shorter_than_a_stall_proves_nothing(made: ModuleType) -> None:
    story = made.Story(rate=60.0, steps=1, seconds=0.9)
    verdict = compute(story.events())
    assert [finding.reason for finding in verdict.findings] == [Reason.OUTAGE_UNSEEN]
    assert [(one.balancer, one.cause) for one in verdict.gaps.unseen] == [("nlb", Cause.SHORT)]
    assert verdict.findings[0].text.endswith("let the traffic run for longer")
    assert compute(made.Story(rate=60.0, steps=1, seconds=1.5).events()).result is Result.PASS


def test_traffic_that_stops_soon_after_the_move_proves_nothing_of_the_new_balancer(made: ModuleType) -> None:
    events = made.Story(rate=60.0, steps=4).events()
    first = min(
        one.intended for one in events if isinstance(one, journal.Request) and one.listener == "plain"
    )
    at = first + 0.2
    kept = [one for one in events if not (isinstance(one, journal.Request) and one.intended >= at)]
    stop = journal.TrafficStopRequested(time=at, step=4)
    done = [
        dataclasses.replace(one, time=at + 0.1)
        if isinstance(one, journal.StepFinished | journal.RunFinished) and one.time > at
        else one
        for one in kept
    ]
    unseen = compute([*settled(done), stop]).gaps.unseen
    assert [(one.balancer, one.cause) for one in unseen] == [("alb", Cause.SHORT)]


def weighted(made: ModuleType, nlb: int, alb: int, until: int) -> list[Event]:
    """The name has weights from step 3 on, and some requests of each step up to `until` go to the ALB."""
    events = made.Story(rate=40.0, moves=()).events()
    sets = [
        {"Name": f"{made.HOST}.", "Type": "A", "AliasTarget": {"DNSName": made.NAMES[name]}}
        | {"SetIdentifier": name, "Weight": weight}
        for name, weight in (("nlb", nlb), ("alb", alb))
    ]
    plain = {"Name": f"{made.HOST}.", "Type": "A", "AliasTarget": {"DNSName": made.NAMES["nlb"]}}
    changes = (
        {"Action": "DELETE", "ResourceRecordSet": plain},
        *({"Action": "CREATE", "ResourceRecordSet": one} for one in sets),
    )
    third = made.Story().start(3)
    to_alb = {
        event.id
        for number, event in enumerate(one for one in events if isinstance(one, journal.Request))
        if third + 0.5 < event.intended < made.Story().start(until + 1) - 0.1 and number % 4 == 0
    }
    peer = made.ADDRESSES["alb"][0]
    moved = [
        dataclasses.replace(event, peer=peer, listener="plain")
        if isinstance(event, journal.Request | journal.Access) and event.id in to_alb
        else event
        for event in events
        if not isinstance(event, journal.Connection)
        and not (isinstance(event, journal.Balancer) and event.state == "deleted")
    ]
    return [*moved, journal.DnsChange(time=third + 0.1, zone="/hostedzone/Z1", changes=changes)]


def test_a_balancer_with_weight_that_answers_nothing_in_a_step_proves_nothing(made: ModuleType) -> None:
    verdict = compute(weighted(made, 97, 3, until=4))
    assert verdict.result is Result.INCONCLUSIVE
    assert [(one.balancer, one.cause) for one in verdict.gaps.unseen] == [("alb", Cause.SHARED)] * 2
    assert "the ALB had weight in a step, and gave no answer for " in verdict.findings[0].text
    assert "the longest of 2 such steps" in verdict.findings[0].text


def test_a_balancer_with_weight_that_never_answers_proves_nothing(made: ModuleType) -> None:
    verdict = compute(weighted(made, 97, 3, until=2))
    assert {one.cause for one in verdict.gaps.unseen} == {Cause.SHARED}
    assert verdict.gaps.longest["alb"] > 15


def test_a_balancer_with_weight_need_not_answer_all_the_time(made: ModuleType) -> None:
    assert compute(weighted(made, 90, 10, until=6)).result is Result.PASS


def test_a_balancer_without_weight_need_not_answer(made: ModuleType) -> None:
    assert compute(weighted(made, 100, 0, until=2)).result is Result.PASS


def test_the_longest_gap_counts_the_time_in_which_a_balancer_had_weight(made: ModuleType) -> None:
    gaps = gaps_of(weighted(made, 97, 3, until=4))
    assert gaps.longest["alb"] >= 8.0
    assert gaps.longest["nlb"] < gaps.limit


@settings(max_examples=60, deadline=None)
@given(at=st.floats(2.0, 22.0), seconds=st.floats(0.2, 3.0), speed=st.sampled_from((30.0, 60.0, 200.0)))
def test_whatever_is_held_back_as_long_as_a_stall_never_passes(
    made: ModuleType, events: list[Event], at: float, seconds: float, speed: float
) -> None:
    verdict = compute(held(made.EPOCH + at, seconds)(at_speed(events, speed)))
    if seconds >= verdict.gaps.limit:
        assert verdict.result is not Result.PASS
