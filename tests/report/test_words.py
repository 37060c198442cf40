from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import cast

import pytest

from testbed import journal
from testbed.report import words
from testbed.verdict.history import History
from testbed.verdict.verdict import Result, Verdict, compute


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 s"),
        (0.634, "0.63 s"),
        (12, "12.0 s"),
        (59.96, "1m00s"),
        (245, "4m05s"),
        (3725, "1h02m"),
        (-2, "-2.00 s"),
    ],
)
def test_a_duration_reads(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("micros", "text"),
    [(None, "-"), (0, "-"), (870, "870 µs"), (4_812, "4.8 ms"), (123_900, "124 ms"), (2_410_000, "2.41 s")],
)
def test_a_latency_reads(micros: int | None, text: str) -> None:
    assert words.latency(micros) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0:00"), (59.6, "1:00"), (754, "12:34"), (3723, "1:02:03")]
)
def test_a_time_of_the_run_reads(seconds: float, text: str) -> None:
    assert words.clock_time(seconds) == text


def test_times_are_shown_in_production_and_wall_time(made: ModuleType) -> None:
    times = words.Times(compute(made.Story(rate=5.0).events()).history)
    assert times.both(made.EPOCH + 12.5) == "12:30 (12.5 s)"
    assert times.lasted(0.63) == "37.8 s (0.63 s)"


@pytest.mark.parametrize(
    ("first", "text"),
    [
        ("nlb.lost == 0 does not hold", "nlb.lost == 0 does not hold."),
        ("drained_within: 15m was not measured", "drained_within: 15m was not measured."),
        ("requests started late", "Requests started late."),
    ],
)
def test_the_headline_keeps_the_letters_of_a_thresholds_name(first: str, text: str) -> None:
    verdict = SimpleNamespace(
        requests=SimpleNamespace(total=1), result=Result.FAIL, findings=[SimpleNamespace(text=first)]
    )
    assert words.headline(cast(Verdict, verdict)) == text


def test_what_the_run_did_not_play_is_said_once_and_cut_with_a_count() -> None:
    history = History()
    for number in range(words.LEFT_OUT_SHOWN + 2):
        for _ in range(2):
            history.add(journal.LeftOut(time=0.0, owner="Ingress group app", text=f"not modelled: {number}"))

    sentences = words.left_out(history)

    assert sentences[0] == "Ingress group app: not modelled: 0."
    assert len(sentences) == words.LEFT_OUT_SHOWN + 1
    assert sentences[-1] == "And 2 more, in the journal."


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (1_795_819_394.0, "2026-11-27 22:43:14 UTC"),
        (1e30, "1e+30 s"),
        (float("nan"), "nan s"),
        (float("-inf"), "-inf s"),
    ],
)
def test_a_date_is_of_utc_and_any_number_is_printed(time: float, text: str) -> None:
    assert words.date(time) == text


@pytest.mark.parametrize(
    ("tag", "by", "text"),
    [("v0.7.4", "the scenario", "v0.7.4 (the scenario)"), ("v0.7.4", "", "v0.7.4"), ("", "", "none")],
)
def test_a_release_says_who_names_it(tag: str, by: str, text: str) -> None:
    assert words.release(tag, by) == text


def test_the_forecast_is_said_only_if_the_journal_says_who_called(made: ModuleType) -> None:
    verdict = compute(made.Story(rate=20.0).events())
    assert words.forecast(verdict) == ""
    verdict.history.clients.append(
        journal.Clients(
            time=0.0,
            model="grpcio",
            count=8,
            protocol="grpc",
            resolver="direct",
            looks_up="",
            follows=False,
            source="",
        )
    )
    assert words.forecast(verdict).startswith("The forecast of the drain of the NLB cannot be checked: ")
