"""The questions of a walk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import journal
from testbed.errors import Interrupted
from testbed.report.console import Terminal
from testbed.report.predictions import Predicted, Predictions, check, read
from testbed.traffic.counts import Counts


@pytest.mark.parametrize(
    ("alias", "lost", "predicted"),
    [
        ("alb", "n", Predicted(frozenset({"alb"}), False)),
        ("NLB, alb", "Yes", Predicted(frozenset({"nlb", "alb"}), True)),
        ("none", "", Predicted(frozenset(), None)),
        ("", "perhaps", Predicted(None, None)),
    ],
)
def test_an_answer_is_read_as_people_type_it(alias: str, lost: str, predicted: Predicted) -> None:
    assert read(alias, lost) == predicted


@pytest.mark.parametrize(
    ("predicted", "alias", "lost", "found"),
    [
        (read("alb", "n"), ["alb"], 0, [True, True]),
        (read("nlb", "y"), ["alb"], 0, [False, False]),
        (read("alb", "y"), [], 7, [False, True]),
        (read("none", ""), [], 7, [True]),
        (read("nlb alb", ""), ["alb", "nlb"], 0, [True]),
        (read("service/shop/envoy", ""), ["service/shop/Envoy"], 0, [True]),
        (Predicted(), ["nlb"], 3, []),
    ],
)
def test_a_prediction_is_compared_with_what_happened(
    predicted: Predicted, alias: list[str], lost: int, found: list[bool]
) -> None:
    assert [one.is_right for one in check(predicted, alias, lost)] == found


@given(st.text(), st.text(), st.lists(st.text(min_size=1), max_size=3), st.integers(0, 9))
def test_whatever_is_typed_is_compared(alias: str, lost: str, now: list[str], count: int) -> None:
    assert all(one.text for one in check(read(alias, lost), now, count))


class Play:
    """A run whose alias and losses the test sets."""

    def __init__(self, typed: Iterator[str]) -> None:
        self.alias, self.counts = ["nlb"], Counts()
        self.predictions = Predictions(
            Terminal(),
            hint=["dig api.example.com"],
            answer=lambda _: next(typed),
            alias=lambda: self.alias,
            balancers=lambda: ["nlb", "alb"],
            counts=lambda: self.counts,
        )

    def step(self, number: int, *, alias: str, lost: int) -> None:
        self.predictions.before_step(number, f"step [{number}]")
        self.predictions.hear(journal.StepStarted(time=0.0, number=number, title="", why=f"why {number}"))
        self.alias, self.counts = [alias], Counts(failed=self.counts.failed + lost)
        self.predictions.hear(journal.StepFinished(time=0.0, number=number, outcome="passed"))


def test_each_step_is_asked_for_and_answered_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    play = Play(iter(["nlb", "n", "nlb", "n", "", ""]))
    play.step(1, alias="nlb", lost=0)
    play.step(2, alias="alb", lost=1_200)
    play.step(3, alias="alb", lost=0)
    said = capsys.readouterr().out
    assert said.count("dig api.example.com") == 1
    assert "Step 2: step [2]" in said
    assert "✓ the alias: you said nlb; it points to the NLB" in said
    assert "✗ the alias: you said nlb; it points to the ALB" in said
    assert "✗ lost requests: you said no; 1,200 were lost" in said
    assert said.count("Why: why ") == 3
    assert play.predictions.summary == "2 of 4 predictions were right."


def test_an_answer_that_is_none_of_the_choices_is_asked_for_again() -> None:
    play = Play(iter(["1", "the alb", "ALB", "2", "perhaps", "yes"]))
    play.step(1, alias="alb", lost=1)
    assert play.predictions.summary == "2 of 2 predictions were right."


def test_a_walk_without_predictions_says_so() -> None:
    assert Play(iter(())).predictions.summary == "Nothing was predicted."


@pytest.mark.parametrize("typed", [["q"], ["nlb", "Q"], []])
def test_q_and_the_end_of_the_input_end_the_walk(typed: list[str]) -> None:
    lines = iter(typed)

    def answer(_: str) -> str:
        for line in lines:
            return line
        raise EOFError

    play = Play(iter(()))
    play.predictions._answer = answer
    with pytest.raises(Interrupted, match="the walk ended before its last step"):
        play.step(1, alias="nlb", lost=0)


def test_a_step_before_which_nobody_was_asked_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    play = Play(iter(["nlb", "n"]))
    told: list[tuple[bool, str]] = []
    play.predictions._tell = lambda is_right, text: told.append((is_right, text))
    play.step(1, alias="alb", lost=0)
    play.predictions.hear(journal.StepStarted(time=0.0, number=2, title="", why="why 2"))
    play.predictions.hear(journal.StepFinished(time=0.0, number=2, outcome="passed"))
    assert "Why: why 2" not in capsys.readouterr().out
    assert [is_right for is_right, _ in told] == [False, True]
