"""The sentences on outages."""

from __future__ import annotations

from types import ModuleType

from testbed import journal
from testbed.journal import Event
from testbed.verdict import outage_findings
from testbed.verdict.verdict import compute
from tests.verdict.journal_changes import held, nothing_due, slept

AT = 6.0


def test_a_pass_states_the_outage_that_it_excludes_at_each_balancer(events: list[Event]) -> None:
    verdict = compute(events)
    text = outage_findings.excluded(verdict.gaps, verdict.history)
    assert text.startswith("No gap between answers was longer than ")
    assert " s of production time (" in text
    assert "at the NLB and " in text
    assert text.endswith("at the ALB: a longer outage would have shown.")


def test_a_run_without_answers_states_nothing() -> None:
    verdict = compute([])
    assert outage_findings.excluded(verdict.gaps, verdict.history) == ""


def test_a_stall_is_told_in_both_clocks_with_the_requests_that_waited(
    made: ModuleType, events: list[Event]
) -> None:
    verdict = compute(held(made.EPOCH + AT, 1.5)(events))
    text = verdict.findings[0].text
    assert text.startswith("the NLB answered nothing for 9")
    assert "of production time (1." in text
    assert text.endswith("requests were due")


def test_what_went_unseen_says_what_to_do(made: ModuleType, events: list[Event]) -> None:
    thin = compute(nothing_due(made.EPOCH + AT, 1.5)(events)).findings
    late = compute(slept(made.EPOCH + AT, 1.5)(events)).findings
    assert any("rehearse again at a higher rate or a lower speed" in finding.text for finding in thin)
    assert any("rehearse again at a lower rate or speed" in finding.text for finding in late)


def test_a_run_that_lowered_its_rate_says_so_and_what_still_shows(
    made: ModuleType, events: list[Event]
) -> None:
    lowered = journal.RateLowered(time=made.EPOCH, asked=500.0, rate=260.0, others=1.0, cores=2)
    verdict = compute([*events, lowered])
    text = outage_findings.excluded(verdict.gaps, verdict.history)
    assert text.endswith(
        "Other programs kept 1.0 of 2 cores busy at the start, so the run sends 260 requests per second, "
        "not 500; an outage of 60 s of production time (1.00 s) still shows."
    )
