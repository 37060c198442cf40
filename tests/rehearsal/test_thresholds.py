from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import journal
from testbed.errors import BadInput, Location
from testbed.rehearsal.story import Via
from testbed.rehearsal.thresholds import Measured, Threshold, parse
from testbed.rehearsal.verdict import Reason, Result, Verdict, compute


def judged(made: ModuleType, *texts: str, without_alb: bool = False) -> Verdict:
    events = made.Story(rate=20.0).events()
    events[2:2] = [journal.Threshold(time=events[1].time, text=text) for text in texts]
    if without_alb:
        events = [
            dataclasses.replace(event, addresses=())
            if isinstance(event, journal.Balancer) and event.type == "alb"
            else event
            for event in events
        ]
    return compute(events)


def measured(made: ModuleType, text: str) -> Measured:
    return judged(made, text).thresholds[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("failed == 0", Threshold("failed == 0", "failed", "==", 0.0)),
        ("  p99   <250ms ", Threshold("p99 <250ms", "p99", "<", 0.25)),
        ("alb.p99.9<=1.5s", Threshold("alb.p99.9<=1.5s", "p99.9", "<=", 1.5, Via.ALB)),
        ("drained_within: 1h30m", Threshold("drained_within: 1h30m", "drained_within", "<=", 5400.0)),
        ("moved_within <= 2m", Threshold("moved_within <= 2m", "moved_within", "<=", 120.0)),
    ],
)
def test_a_threshold_is_read(text: str, expected: Threshold) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no comparison"),
        ("failed", "it is no comparison"),
        ("failed = 0", "it is no comparison"),
        ("failed == 0.5", "whole number"),
        ("failed == 0 and p99 < 1s", "it is no comparison"),
        ("p99 < 250", "'250' is not a duration"),
        ("p99 < fast", "'fast' is not a duration"),
        ("p99: 250ms", "only drained_within and moved_within take a colon"),
        ("p98 < 250ms", "'p98' is not one of total, ok"),
        ("nlb.drained_within: 15m", "drained_within: DURATION"),
        ("drained_within > 15m", "drained_within: DURATION"),
        ("drained_within: 15", "'15' is not a duration"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, why: str) -> None:
    with pytest.raises(BadInput) as told:
        parse(text, Location(Path("testbed.toml"), 3))
    assert str(told.value).startswith("testbed.toml:3: the threshold")
    assert why in str(told.value)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except BadInput:
        return
    assert found.text == " ".join(text.split())


@given(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.integers(0, 10**12))
def test_a_count_is_read_as_it_is_written(compare: str, value: int) -> None:
    found = parse(f"lost {compare} {value}")
    assert (found.compare, found.value) == (compare, value)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("failed == 0", True),
        ("failed > 0", False),
        ("total >= 100", True),
        ("ok < 100", False),
        ("alb.lost == 0", True),
        ("p99 < 10s", True),
        ("p50 < 1us", False),
        ("drained_within: 10m", True),
        ("drained_within: 1s", False),
        ("moved_within: 5m", True),
        ("moved_within: 1s", False),
    ],
)
def test_a_threshold_holds_or_is_missed(made: ModuleType, text: str, holds: bool) -> None:
    found = measured(made, text)
    assert found.holds is holds
    assert found.seen


def test_a_missed_threshold_fails_and_names_what_was_seen(made: ModuleType) -> None:
    verdict = judged(made, "failed == 0", "total < 10")
    assert verdict.result is Result.FAIL
    assert [one.reason for one in verdict.findings] == [Reason.THRESHOLD_MISSED]
    assert verdict.findings[0].text.startswith("total < 10 does not hold: ")
    assert [one.holds for one in verdict.thresholds] == [True, False]


def test_what_was_not_measured_is_never_held(made: ModuleType) -> None:
    for text in ("alb.p99 < 1h", "alb.failed == 0"):
        verdict = judged(made, text, without_alb=True)
        assert verdict.thresholds[0].holds is None
        assert verdict.result is not Result.PASS


def test_a_run_in_which_nothing_moved_proves_nothing_of_moves(made: ModuleType) -> None:
    events = [event for event in made.Story(rate=20.0).events() if not isinstance(event, journal.DnsChange)]
    events.insert(2, journal.Threshold(time=events[1].time, text="drained_within: 1h"))
    assert compute(events).thresholds[0].holds is None


def cut_short(made: ModuleType, number: int) -> Verdict:
    """The story in which the clients kept to the balancer that move `number` left."""
    story = made.Story(rate=20.0)
    moves = compute(story.events()).movements.moves
    move = moves[number]

    def is_drained(event: journal.Event) -> bool:
        is_end = isinstance(event, journal.Connection) and event.state == "closed"
        return is_end and event.address.split(":")[0] in left and move.time < event.time <= move.until

    left = made.ADDRESSES[move.origin]
    events = [
        dataclasses.replace(event, reason=journal.CLIENTS_STOPPED)
        if isinstance(event, journal.Connection) and is_drained(event)
        else event
        for event in story.events()
    ]
    events.insert(2, journal.Threshold(time=events[1].time, text="drained_within: 2h"))
    return compute(events)


def test_a_drain_of_the_nlb_that_was_cut_short_is_not_measured_whatever_the_others_are(
    made: ModuleType,
) -> None:
    (found,) = cut_short(made, 0).thresholds
    assert found.holds is None
    assert "only" in found.seen


def test_a_drain_of_the_alb_that_nobody_waited_for_does_not_count(made: ModuleType) -> None:
    (found,) = cut_short(made, 1).thresholds
    assert found.holds is True


def test_losses_that_came_back_from_neither_balancer_leave_its_own_unmeasured(made: ModuleType) -> None:
    events = made.Story(rate=20.0).events()
    lost = next(number for number, event in enumerate(events) if isinstance(event, journal.Request))
    events[lost] = dataclasses.replace(events[lost], outcome="unknown", peer="", pod="", listener="")
    events.insert(2, journal.Threshold(time=events[1].time, text="nlb.lost == 0"))
    events.insert(2, journal.Threshold(time=events[1].time, text="lost == 1"))
    assert [one.holds for one in compute(events).thresholds] == [True, None]
