"""What may be said before the end: never a pass, and no hope where there is none."""

from __future__ import annotations

import pytest

from testbed import journal
from testbed.live.frame import Standing
from testbed.live.verdict_so_far import VerdictSoFarOf


def test_without_anything_against_it_a_pass_is_open() -> None:
    assert VerdictSoFarOf().words().standing is Standing.OPEN


@pytest.mark.parametrize(
    "event",
    [
        journal.Expectation(time=1.0, step=2, text="the ALB serves", passed=False, detail="it does not"),
        journal.StepFinished(time=1.0, number=2, outcome="failed"),
        journal.Log(time=1.0, component="moto", level="error", message="down", line=""),
        journal.RunFinished(time=1.0, reason="interrupted"),
    ],
    ids=lambda event: event.kind,
)
def test_what_no_verdict_forgives_rules_a_pass_out(event: journal.Event) -> None:
    so_far = VerdictSoFarOf()
    so_far.take(event, 2)
    assert so_far.words().standing is Standing.NO_PASS
    assert len(so_far.words().reasons) == 1


def test_what_was_met_says_nothing() -> None:
    so_far = VerdictSoFarOf()
    so_far.take(journal.Expectation(time=1.0, step=2, text="the ALB serves", passed=True), 2)
    so_far.take(journal.StepFinished(time=1.0, number=2, outcome="passed"), 2)
    so_far.take(
        journal.Log(time=1.0, component="external-dns", level="error", message="throttled", line=""), 2
    )
    assert so_far.words().standing is Standing.OPEN


def test_losses_may_still_be_accepted_by_the_scenario() -> None:
    so_far = VerdictSoFarOf()
    so_far.lost(1200, 2)
    assert so_far.words().standing is Standing.LOSSES
    assert so_far.words().reasons == ("1,202 lost: 1,200 failed, 2 unknown",)
    so_far.take(journal.LossesAccepted(time=1.0, why="a fault"), 2)
    assert so_far.words().standing is Standing.OPEN
    assert so_far.words().reasons[0].endswith("which the scenario accepts: a fault")


def test_the_verdict_replaces_what_was_guessed() -> None:
    so_far = VerdictSoFarOf()
    so_far.lost(1, 0)
    so_far.judged(Standing.INCONCLUSIVE, "The machine was too slow.", ("late",))
    assert so_far.words().standing is Standing.INCONCLUSIVE
    assert so_far.words().reasons == ("late",)
