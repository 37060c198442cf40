"""How the end of a script is told, on a topology that only stands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from testbed import journal
from testbed.clock import Clock
from testbed.commands import COMPLETE, ERROR, JOURNAL, _fresh_folder, play
from testbed.errors import BadInput, Missing
from testbed.options import Options
from testbed.rehearsal.conditions import Condition, Observation
from testbed.rehearsal.cutover import Cutover, StepFailed
from testbed.rehearsal.scenario import Scenario
from testbed.report.files import OF_A_RUN

NEVER = Condition("pigs fly", lambda _: Observation(False, "none does"))


class Standing:
    """A topology whose parts can fail."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock(speed=1_000.0)
        self.journal = journal.Journal(path)
        self.check: Callable[[], None] = lambda: None
        self.finish: Callable[[], None] = lambda: None


@pytest.fixture
def topology(tmp_path: Path) -> Standing:
    return Standing(tmp_path / JOURNAL)


def played(topology: Standing, script: Callable[[Cutover], None]) -> list[journal.Event]:
    folder = Path(__file__).parent
    scenario = Scenario(play=script, name="s", title="s", host="a.b", zone="b", folder=folder)
    try:
        play(scenario, cast(Any, topology), Options())
    finally:
        topology.journal.close()
    return list(journal.read(topology.journal.path))


def ending(topology: Standing) -> tuple[str, str]:
    events = list(journal.read(topology.journal.path))
    (end,) = (event for event in events if isinstance(event, journal.RunFinished))
    return end.reason, end.detail


def test_a_script_that_returns_has_played_to_its_end(topology: Standing) -> None:
    played(topology, lambda _: None)
    assert ending(topology) == (COMPLETE, "")


def exits(_: Cutover) -> None:
    raise SystemExit(0)


def gives_up(_: Cutover) -> None:
    raise StepFailed("my own reason")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (exits, "the scenario raised SystemExit: 0"),
        (gives_up, "the scenario raised StepFailed: my own reason"),
    ],
)
def test_a_script_that_breaks_off_without_a_failed_expectation_is_bad_input(
    topology: Standing, script: Callable[[Cutover], None], told: str
) -> None:
    with pytest.raises(BadInput, match=told) as error:
        played(topology, script)
    assert error.value.where
    assert error.value.where.path.name == "test_commands.py"
    assert ending(topology)[0] == ERROR


def test_a_failed_expectation_ends_a_run_that_is_complete(topology: Standing) -> None:
    events = played(topology, lambda cutover: cutover.wait_until(NEVER, within=-60_000))
    assert [(one.text, one.passed) for one in events if isinstance(one, journal.Expectation)] == [
        ("pigs fly", False)
    ]
    assert ending(topology) == (COMPLETE, "")


def test_what_was_asked_in_a_thread_and_never_answered_has_failed(topology: Standing) -> None:
    asked, over = threading.Event(), threading.Event()

    def look(_: Cutover) -> Observation:
        asked.set()
        over.wait()
        return Observation(True, "too late")

    threads = []

    def script(cutover: Cutover) -> None:
        condition = Condition("somebody looks", look)
        thread = threading.Thread(target=cutover.expect, args=[condition], daemon=True)
        threads.append(thread)
        thread.start()
        asked.wait()

    try:
        events = played(topology, script)
    finally:
        topology.journal = cast(Any, SimpleNamespace(write=lambda *_: None))
        over.set()
        threads[0].join()
    (told,) = (event for event in events if isinstance(event, journal.Expectation))
    assert (told.text, told.passed) == ("somebody looks", False)
    assert told.detail == "the story ended before the answer"


def test_what_was_asked_of_a_broken_topology_has_failed_whatever_the_script_swallows(
    topology: Standing,
) -> None:
    def script(cutover: Cutover) -> None:
        def broken() -> None:
            raise Missing("the generator ended")

        topology.check = broken
        try:
            cutover.expect(NEVER)
        except Missing:
            topology.check = lambda: None

    events = played(topology, script)
    assert [one.passed for one in events if isinstance(one, journal.Expectation)] == [False]


def test_a_part_that_ended_unseen_ends_the_run_by_an_error(topology: Standing) -> None:
    def broken() -> None:
        raise Missing("moto ended")

    topology.check = broken
    with pytest.raises(Missing, match="moto ended"):
        played(topology, lambda _: None)
    assert ending(topology) == (ERROR, "moto ended")


def test_accounts_that_cannot_be_brought_in_end_the_run_by_an_error(topology: Standing) -> None:
    def broken() -> None:
        raise ValueError("no JSON")

    topology.finish = broken
    with pytest.raises(ValueError, match="no JSON"):
        played(topology, lambda _: None)
    assert ending(topology)[0] == ERROR


def test_nothing_of_an_earlier_run_is_left_in_the_folder(tmp_path: Path) -> None:
    for name in (JOURNAL, *OF_A_RUN):
        (tmp_path / name).write_text("of an earlier run")
    (tmp_path / "notes.txt").write_text("mine")
    _fresh_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
