"""What a person does on the page, and what becomes of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testbed import journal
from testbed.clock import Clock
from testbed.errors import BadInput, Interrupted, Missing
from testbed.faults import Scheduled
from testbed.live.director import Director
from testbed.settings import PATIENCE


class Page:
    """What the page shows."""

    def __init__(self) -> None:
        self.shown: dict[str, Any] = {}
        self.waits = threading.Event()

    def control(self, **values: Any) -> None:
        self.shown |= values
        if self.shown.get("waits_for"):
            self.waits.set()

    @property
    def told(self) -> str:
        return str((self.shown.get("told") or {}).get("text", ""))


class Struck:
    """A cutover that notes what strikes it."""

    def __init__(self) -> None:
        self.faults: list[Scheduled] = []

    def strike(self, scheduled: Scheduled) -> None:
        if any(one.fault == scheduled.fault for one in self.faults):
            raise BadInput("envoy-1 is struck already")
        self.faults.append(scheduled)


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def written(tmp_path: Path) -> Iterator[journal.Journal]:
    with journal.Journal(tmp_path / "journal.ndjson") as written:
        yield written


def directed(written: journal.Journal, page: Page, **more: Any) -> Director:
    director = Director(written, Clock(60.0), **more)
    director.balancers = lambda: ("nlb", "alb")
    director.begin(page.control)
    return director


def acts(written: journal.Journal) -> list[str]:
    if not written.path.stat().st_size:
        return []
    return [event.text for event in journal.read(written.path) if isinstance(event, journal.PageAct)]


@contextmanager
def waiting(director: Director, page: Page) -> Iterator[list[Any]]:
    """A story that has come to its next step; yields what became of it."""
    became: list[Any] = []

    def play() -> None:
        try:
            became.append(director.before_step(4, "The alias moves"))
        except (Interrupted, Missing) as error:
            became.append(error)

    story = threading.Thread(target=play)
    story.start()
    assert page.waits.wait(PATIENCE.condition)
    try:
        yield became
    finally:
        story.join(PATIENCE.condition)
        assert not story.is_alive()


def test_without_a_person_the_story_goes_on(written: journal.Journal, page: Page) -> None:
    assert directed(written, page).before_step(1, "It stands") is False
    assert acts(written) == []


def test_a_walk_waits_before_its_first_step(written: journal.Journal, page: Page) -> None:
    director = directed(written, page, waits=True)
    with waiting(director, page) as became:
        assert page.shown["waits_for"] == "Step 4: The alias moves"
        assert page.shown["names"] == ["nlb", "alb", "none"]
        director.act({"act": "next", "alias": "alb", "lost": "n"})
    assert became == [True]
    assert [director.answer("where"), director.answer("lost"), director.answer("more")] == ["alb", "n", ""]
    assert page.shown["pauses"] is True
    assert acts(written) == ["next step; prediction: alias alb, lost n"]


def test_a_second_click_plays_no_second_step(written: journal.Journal, page: Page) -> None:
    director = directed(written, page, waits=True)
    with waiting(director, page):
        director.act({"act": "next", "alias": "nlb"})
        director.act({"act": "next", "alias": "alb"})
    assert "no step waits" in page.told
    assert list(director.answers) == ["nlb", ""]
    assert acts(written) == ["next step; prediction: alias nlb"]


def test_go_on_lets_the_steps_after_it_begin_at_once(written: journal.Journal, page: Page) -> None:
    director = directed(written, page)
    director.act({"act": "pause"})
    with waiting(director, page) as became:
        director.act({"act": "go"})
    assert became == [True]
    assert director.before_step(5, "The end") is False
    assert acts(written) == ["pause before the next step", "go on"]


def test_a_person_may_end_the_run_while_it_waits(written: journal.Journal, page: Page) -> None:
    director = directed(written, page, waits=True)
    with waiting(director, page) as became:
        director.act({"act": "end"})
    assert isinstance(became[0], Interrupted)
    assert acts(written) == ["end the run"]


def test_a_part_that_fails_while_the_story_waits_ends_it(written: journal.Journal, page: Page) -> None:
    failed = threading.Event()

    def check() -> None:
        if failed.is_set():
            raise Missing("moto has ended")

    director = directed(written, page, waits=True, check=check)
    with waiting(director, page) as became:
        failed.set()
    assert isinstance(became[0], Missing)


@pytest.mark.parametrize(
    ("act", "why"),
    [
        ({"act": "next"}, "no step waits"),
        ({"act": "end"}, "no step waits"),
        ({"act": "next", "alias": "elb"}, "a prediction names no elb"),
        ({"act": "go", "lost": "perhaps"}, "a prediction of losses is y or n"),
        ({"act": "reboot"}, "the page knows no such act"),
        ({}, "the page knows no such act"),
        ({"act": "fault", "fault": 7}, "the page knows no such act"),
        ({"act": "fault", "fault": "meteor"}, "there is no fault 'meteor'"),
        ({"act": "fault", "fault": "dns-silent", "for": "long"}, "a number of production seconds"),
        ({"act": "fault", "fault": "dns-silent", "for": -1}, "is not a duration"),
        ({"act": "fault", "fault": "dns-silent", "for": float("nan")}, "is not a duration"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(
    act: Mapping[str, Any], why: str, written: journal.Journal, page: Page
) -> None:
    director = directed(written, page)
    director.cutover = Struck()  # type: ignore[assignment]
    director.act(act)
    assert why in page.told
    assert acts(written) == []
    assert director.before_step(1, "It stands") is False


def test_a_fault_strikes_for_the_time_that_was_said(written: journal.Journal, page: Page) -> None:
    director, struck = directed(written, page), Struck()
    director.act({"act": "fault", "fault": "target-killed envoy-1", "for": 30})
    assert page.told == "the story has not begun"
    director.cutover = struck  # type: ignore[assignment]
    director.act({"act": "fault", "fault": "target-killed envoy-1", "for": 30})
    assert [(one.fault.text, one.lasts) for one in struck.faults] == [("target-killed envoy-1", 30.0)]
    assert acts(written) == ["fault target-killed envoy-1, for 30 s of production time"]
    director.act({"act": "fault", "fault": "target-killed envoy-1"})
    assert page.told == "envoy-1 is struck already"


def test_equal_sentences_are_told_apart(written: journal.Journal, page: Page) -> None:
    director = directed(written, page)
    director.act({})
    first = page.shown["told"]
    director.act({})
    assert page.shown["told"]["text"] == first["text"]
    assert page.shown["told"]["number"] > first["number"]


def test_a_prediction_is_judged_on_the_page(written: journal.Journal, page: Page) -> None:
    directed(written, page).checked(False, "the alias: you said nlb; it points to the ALB")
    assert page.told == "Wrong: the alias: you said nlb; it points to the ALB"
