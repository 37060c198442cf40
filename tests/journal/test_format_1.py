"""Journals of testbed 0.1 are read as if they had the events of today."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import journal
from testbed.errors import BadInput
from testbed.journal import format_1

OF_0_1 = Path(__file__).parents[1] / "report" / "golden" / "lost.ndjson"


def written(path: Path, *events: journal.Event, format: int | None) -> Path:  # noqa: A002
    """A journal whose `run` event has this format, or none at all, as in 0.1."""
    run = journal.Run(
        time=0.0, scenario="s", title="t", clock={}, rate=5.0, seed=1, external_dns="v0.7.4", network="n",
        host="h", testbed="0.1.0", machine="m",
    )  # fmt: skip
    fields = orjson.loads(journal.encode(run))
    del fields["format"]
    first = fields if format is None else {**fields, "format": format}
    path.write_bytes(orjson.dumps(first) + b"\n" + b"".join(map(journal.encode, events)))
    return path


def test_a_journal_that_0_1_wrote_has_the_start_of_its_traffic() -> None:
    assert b"traffic_started" not in OF_0_1.read_bytes()
    started = [event for event in journal.read(OF_0_1) if isinstance(event, journal.TrafficStarted)]
    assert started == [journal.TrafficStarted(time=1001.2, step=1, rate=1.0)]
    (run,) = [event for event in journal.read(OF_0_1) if isinstance(event, journal.Run)]
    assert run.format == format_1.FORMAT


def test_the_events_follow_the_sentences_that_stand_for_them(tmp_path: Path) -> None:
    start = journal.Action(time=1.0, step=1, text="start 1.5e+06 requests per second")
    stop = journal.Action(time=2.0, step=3, text="stop the traffic")
    path = written(tmp_path / "journal.ndjson", start, stop, format=None)
    assert list(journal.read(path))[1:] == [
        start,
        journal.TrafficStarted(time=1.0, step=1, rate=1.5e6),
        stop,
        journal.TrafficStopRequested(time=2.0, step=3),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "start the clients",
        "restart 5 requests per second",
        "stop the traffic light",
        "start x requests per second",
    ],
)
def test_other_sentences_stand_for_nothing(tmp_path: Path, text: str) -> None:
    action = journal.Action(time=1.0, step=1, text=text)
    assert list(journal.read(written(tmp_path / "journal.ndjson", action, format=1)))[1:] == [action]


def test_a_sentence_in_a_journal_of_today_is_only_a_sentence(tmp_path: Path) -> None:
    action = journal.Action(time=1.0, step=1, text="stop the traffic")
    path = written(tmp_path / "journal.ndjson", action, format=journal.FORMAT)
    assert list(journal.read(path))[1:] == [action]


def test_a_journal_of_a_newer_testbed_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.ndjson", format=journal.FORMAT + 1)
    with pytest.raises(BadInput, match="format 3, and this testbed reads formats up to 2"):
        list(journal.read(path))


@given(rate=st.floats(min_value=0.001, max_value=1e9))
def test_every_rate_that_0_1_could_write_is_read(rate: float) -> None:
    fields = {"time": 1.0, "step": 1, "text": f"start {rate:g} requests per second"}
    event = format_1.also("action", fields)
    assert event is not None
    assert event[1]["rate"] == float(f"{rate:g}")
