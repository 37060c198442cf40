"""The timeline: charts, steps, events and moves on one axis."""

from __future__ import annotations

import dataclasses
import itertools
from types import ModuleType

import pytest

from testbed import journal
from testbed.report.lanes import MARK_LINES
from testbed.report.timeline import drain_pictures, picture
from testbed.verdict.verdict import Verdict, compute


@pytest.fixture(scope="module")
def verdict(made: ModuleType) -> Verdict:
    return compute(made.Story(rate=20.0).events())


def test_the_steps_follow_each_other_over_the_whole_axis(verdict: Verdict) -> None:
    bands = picture(verdict).bands
    assert [band.number for band in bands] == [1, 2, 3, 4, 5, 6]
    for earlier, later in itertools.pairwise(bands):
        assert later.left == pytest.approx(earlier.left + earlier.width, abs=0.01)
    assert bands[-1].left + bands[-1].width == pytest.approx(100, abs=0.01)


def test_each_move_of_the_alias_is_a_line_through_all_charts(verdict: Verdict) -> None:
    cuts = [(cut.css, cut.label.rsplit(" ", 1)[0]) for cut in picture(verdict).cuts]
    moves = [("to-alb", "alias to ALB"), ("to-nlb", "alias to NLB"), ("to-alb", "alias to ALB")]
    assert cuts == [*moves, ("may-go", "the NLB may go")]


def test_everything_is_within_the_picture(verdict: Verdict) -> None:
    found = picture(verdict)
    positions = [mark.position for lane in found.lanes for mark in lane.marks]
    positions += [tick.position for tick in (*found.production, *found.wall)]
    positions += [cut.position for cut in found.cuts]
    assert all(0 <= position <= 100 for position in positions)


def test_events_at_one_moment_share_a_mark_that_lists_the_first_of_them(made: ModuleType) -> None:
    events = made.Story(rate=20.0).events()
    action = next(event for event in events if isinstance(event, journal.Action))
    many = [dataclasses.replace(action, text=f"action {number}") for number in range(MARK_LINES + 5)]
    lanes = {lane.title: lane for lane in picture(compute([*events[:1], *many, *events[1:]])).lanes}
    lines = lanes["Operator"].marks[0].lines
    assert len(lines) == MARK_LINES + 1
    assert lines[-1].startswith("and ")


def test_a_lane_without_events_is_left_out(made: ModuleType) -> None:
    events = [event for event in made.Story(rate=20.0).events() if not isinstance(event, journal.ApiCall)]
    assert "AWS API" not in [lane.title for lane in picture(compute(events)).lanes]


def test_a_run_without_requests_has_a_picture_too(made: ModuleType) -> None:
    kinds = (journal.Request, journal.Access, journal.Connection)
    events = [event for event in made.Story().events() if not isinstance(event, kinds)]
    assert [chart.title for chart in picture(compute(events)).charts] == ["Requests"]


def test_a_drain_names_what_ended_the_connections_and_at_which_age(verdict: Verdict) -> None:
    first = drain_pictures(verdict)[0]
    assert first.title == "Forward: gRPC leaves the NLB"
    assert first.ended.startswith("Causes: GOAWAY: maximum connection age (")
    assert ". Age at the end: " in first.ended


def test_a_drain_without_an_end_says_so(made: ModuleType) -> None:
    events = made.Story(rate=20.0).events()
    staying = [
        event for event in events if not (isinstance(event, journal.Connection) and event.state == "closed")
    ]
    first = drain_pictures(compute(staying))[0]
    assert first.ended == "No connection ended"
    assert " still open after " in first.sentence
