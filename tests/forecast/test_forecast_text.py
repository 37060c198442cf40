from __future__ import annotations

import json

import pytest

from testbed.client_models import MODELS, Population
from testbed.forecast import forecast_text
from testbed.forecast.forecasting import Circumstances, Forecast, forecast


def made(clients: object, number: int = 2_000_000, age: float | None = 300.0) -> Forecast:
    return forecast(Population.of(clients), number, Circumstances(age, horizon=7200))  # type: ignore[arg-type]


def told(found: Forecast) -> str:
    return " ".join(line.strip() for line in forecast_text.lines(found))


@pytest.mark.parametrize("age", [300.0, None])
def test_no_line_is_wider_than_80_columns(age: float | None) -> None:
    found = made(dict.fromkeys(MODELS, 1.0), age=age)
    assert max(map(len, forecast_text.lines(found))) <= 80


def test_a_drain_is_said_in_a_sentence() -> None:
    assert forecast_text.one_line(made({"grpcio": 1}).drain) == (
        "half leave within 2.5 min, 99 % within 5 min, the last after 5 min"
    )


def test_those_that_never_leave_are_named_with_their_cause_and_remedy() -> None:
    text = told(made({"nginx": 1, "grpcio": 3}))
    assert "500,000 of 2,000,000 clients never leave by themselves (nginx)" in text
    assert "500,000 nginx *: never leave: it looks up once, when it starts; restart them" in text
    assert "The shares add up to 4; each is taken as a part of that." in text
    assert "* partly extrapolated" in text


def test_without_an_age_the_text_says_what_to_set() -> None:
    text = told(made({"grpcio": 1}, age=None))
    assert "set a maximum connection age at the targets" in text
    assert "The new balancer: no client comes by itself." in text
    assert "0 s: 2,000,000" in text


def test_a_great_population_wants_a_reservation_in_the_words_of_the_annotation() -> None:
    found = made({"grpcio": 1})
    assert f'minimum-load-balancer-capacity: "CapacityUnits={found.reservation}"' in told(found)
    assert "no capacity has to be reserved" in told(made({"grpcio": 1}, number=2000))


def test_the_json_has_what_the_text_says() -> None:
    found = made({"grpcio": 1})
    document = json.loads(json.dumps(forecast_text.as_json(found), allow_nan=False))
    assert document["drain"]["p50"] == 150
    assert document["drain"]["connections_by_minute"][:3] == [2_000_000, 1_600_000, 1_200_000]
    assert document["ramp"]["new_connections_by_minute"][:2] == [400_000, 400_000]
    assert document["ramp"]["reservation"] == found.reservation
    assert document["drain"]["parts"][0]["model"] == "grpcio"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (6.6667, "6.67"),
        (1000.4, "1,000"),
        (999.9996, "1,000"),
        (639.5, "640"),
        (12, "12"),
        (2_000_000, "2,000,000"),
    ],
)
def test_numbers_are_written_for_a_person(value: float, text: str) -> None:
    assert forecast_text.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(30, "30 s"), (150, "2.5 min"), (300, "5 min"), (7200, "2 h"), (None, "the end of the forecast")],
)
def test_times_are_written_for_a_person(seconds: float | None, text: str) -> None:
    assert forecast_text.time(seconds) == text
