"""The events of a story are written under their step."""

from __future__ import annotations

from pathlib import Path

from testbed import journal
from testbed.clock import Clock
from testbed.rehearsal.conditions import Observation
from testbed.rehearsal.runbook import Done
from testbed.rehearsal.step_recorder import StepRecorder


def test_every_event_has_the_number_of_its_step(tmp_path: Path) -> None:
    with journal.Journal(tmp_path / "journal.ndjson") as file:
        recorder = StepRecorder(file, Clock())
        recorder.action("apply a.yaml")
        recorder.step_started("one", "w")
        recorder.step_finished("passed")
        recorder.step_started("two", "w")
        recorder.action("apply b.yaml")
        recorder.traffic_started(5.0)
        recorder.command(Done("ls", 0, "out", "err", 0.1))
        recorder.expectation("it holds", Observation(True, "yes"))
        recorder.traffic_stop_requested()
        recorder.step_finished("passed")
    events = list(journal.read(tmp_path / "journal.ndjson"))
    steps = [getattr(event, "step", getattr(event, "number", None)) for event in events]
    assert steps == [0, 1, 1, 2, 2, 2, 2, 2, 2, 2]
    times = [event.time for event in events]
    assert times == sorted(times)


def test_one_failed_expectation_is_remembered(tmp_path: Path) -> None:
    with journal.Journal(tmp_path / "journal.ndjson") as file:
        recorder = StepRecorder(file, Clock())
        recorder.expectation("it holds", Observation(True, "yes"))
        assert not recorder.has_failed
        recorder.expectation("it holds", Observation(False, "no"), "not within 5 s")
        recorder.expectation("it holds", Observation(True, "yes"))
        assert recorder.has_failed
    last = list(journal.read(tmp_path / "journal.ndjson"))[1]
    assert isinstance(last, journal.Expectation)
    assert last.detail == "no; not within 5 s"
