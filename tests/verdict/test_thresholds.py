from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from testbed import journal
from testbed.errors import BadInput, Location
from testbed.verdict.findings import Reason, Result
from testbed.verdict.thresholds import Measured, Threshold, parse
from testbed.verdict.verdict import Verdict, compute


def judged(made: ModuleType, *texts: str, without_alb: bool = False) -> Verdict:
    events = made.Story(rate=20.0).events()
    events[2:2] = [journal.Threshold(time=events[1].time, text=text) for text in texts]
    if without_alb:
        events = [
            dataclasses.replace(event, addresses=())
            if isinstance(event, journal.Balancer) and event.type == "alb"
            else event
            for event in events
        ]
    return compute(events)


def measured(made: ModuleType, text: str) -> Measured:
    return judged(made, text).thresholds[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("failed == 0", Threshold("failed == 0", "failed", "==", 0.0)),
        ("  p99   <250ms ", Threshold("p99 <250ms", "p99", "<", 0.25)),
        ("alb.p99.9<=1.5s", Threshold("alb.p99.9<=1.5s", "p99.9", "<=", 1.5, "alb")),
        (
            "service/shop/envoy (2).p99.9 < 1s",
            Threshold("service/shop/envoy (2).p99.9 < 1s", "p99.9", "<", 1.0, "service/shop/envoy (2)"),
        ),
        (
            "b-1.elb.eu-west-1.amazonaws.com.lost==0",
            Threshold(
                "b-1.elb.eu-west-1.amazonaws.com.lost==0",
                "lost",
                "==",
                0.0,
                "b-1.elb.eu-west-1.amazonaws.com",
            ),
        ),
        ("drained_within: 1h30m", Threshold("drained_within: 1h30m", "drained_within", "<=", 5400.0)),
        ("moved_within <= 2m", Threshold("moved_within <= 2m", "moved_within", "<=", 120.0)),
        ("longest_gap: 30s", Threshold("longest_gap: 30s", "longest_gap", "<=", 30.0)),
        ("nlb.longest_gap<10s", Threshold("nlb.longest_gap<10s", "longest_gap", "<", 10.0, "nlb")),
    ],
)
def test_a_threshold_is_read(text: str, expected: Threshold) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not a comparison"),
        ("failed", "it is not a comparison"),
        ("failed = 0", "it is not a comparison"),
        ("failed == 0.5", "whole number"),
        ("failed == 0 and p99 < 1s", "it is not a comparison"),
        ("p99 < 250", "'250' is not a duration"),
        ("p99 < fast", "'fast' is not a duration"),
        ("p99: 250ms", "only drained_within, moved_within, longest_gap take a colon"),
        ("p98 < 250ms", "'p98' is not one of total, ok"),
        ("old.p98 < 250ms", "'p98' is not one of total, ok"),
        (".lost == 0", "it is not a comparison"),
        ("old.drained_within: 15m", "drained_within: DURATION"),
        ("nlb.drained_within: 15m", "drained_within: DURATION"),
        ("drained_within > 15m", "drained_within: DURATION"),
        ("drained_within: 15", "'15' is not a duration"),
    ],
)
def test_what_cannot_be_read_is_reported_with_its_place(text: str, why: str) -> None:
    with pytest.raises(BadInput) as error:
        parse(text, Location(Path("testbed.toml"), 3))
    assert str(error.value).startswith("testbed.toml:3: the threshold")
    assert why in str(error.value)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except BadInput:
        return
    assert found.text == " ".join(text.split())


@pytest.mark.parametrize("text", ["total >= 0", "nlb.failed >= 00", "p99 >= 0ms", "alb.max >= 0.0s"])
def test_what_nothing_can_break_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="always holds; write one that can fail"):
        parse(text)


@given(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.integers(0, 10**12))
@example(">=", 1)
def test_a_count_is_read_as_it_is_written(compare: str, value: int) -> None:
    assume((compare, value) != (">=", 0))
    found = parse(f"lost {compare} {value}")
    assert (found.compare, found.value) == (compare, value)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("failed == 0", True),
        ("failed > 0", False),
        ("total >= 100", True),
        ("ok < 100", False),
        ("alb.lost == 0", True),
        ("p99 < 10s", True),
        ("p50 < 1us", False),
        ("drained_within: 10m", True),
        ("drained_within: 1s", False),
        ("moved_within: 5m", True),
        ("moved_within: 1s", False),
    ],
)
def test_a_threshold_holds_or_is_missed(made: ModuleType, text: str, holds: bool) -> None:
    found = measured(made, text)
    assert found.holds is holds
    assert found.seen


def test_a_missed_threshold_fails_and_names_what_was_seen(made: ModuleType) -> None:
    verdict = judged(made, "failed == 0", "total < 10")
    assert verdict.result is Result.FAIL
    assert [one.reason for one in verdict.findings] == [Reason.THRESHOLD_MISSED]
    assert verdict.findings[0].text.startswith("total < 10 is not met: ")
    assert [one.holds for one in verdict.thresholds] == [True, False]


def test_what_was_not_measured_is_never_held(made: ModuleType) -> None:
    for text in ("alb.p99 < 1h", "alb.failed == 0"):
        verdict = judged(made, text, without_alb=True)
        assert verdict.thresholds[0].holds is None
        assert verdict.result is not Result.PASS


def test_a_run_in_which_nothing_moved_proves_nothing_of_moves(made: ModuleType) -> None:
    events = [event for event in made.Story(rate=20.0).events() if not isinstance(event, journal.DnsChange)]
    events.insert(2, journal.Threshold(time=events[1].time, text="drained_within: 1h"))
    assert compute(events).thresholds[0].holds is None


def cut_short(made: ModuleType, number: int) -> Verdict:
    """The story in which the clients kept to the balancer that move `number` left."""
    story = made.Story(rate=20.0)
    moves = compute(story.events()).movements.moves
    move = moves[number]

    def is_drained(event: journal.Event) -> bool:
        is_end = isinstance(event, journal.Connection) and event.state == "closed"
        return is_end and event.address.split(":")[0] in left and move.time < event.time <= move.until

    left = made.ADDRESSES[move.origin]
    events = [
        dataclasses.replace(event, reason=journal.CLIENTS_STOPPED)
        if isinstance(event, journal.Connection) and is_drained(event)
        else event
        for event in story.events()
    ]
    events.insert(2, journal.Threshold(time=events[1].time, text="drained_within: 2h"))
    return compute(events)


def test_a_drain_of_the_nlb_that_was_cut_short_is_not_measured_whatever_the_others_are(
    made: ModuleType,
) -> None:
    (found,) = cut_short(made, 0).thresholds
    assert found.holds is None
    assert "only" in found.seen


def test_a_drain_of_the_alb_that_was_cut_short_does_not_count(made: ModuleType) -> None:
    (found,) = cut_short(made, 1).thresholds
    assert found.holds is True


def test_losses_that_came_back_from_neither_balancer_leave_its_own_unmeasured(made: ModuleType) -> None:
    events = made.Story(rate=20.0).events()
    lost = next(number for number, event in enumerate(events) if isinstance(event, journal.Request))
    events[lost] = dataclasses.replace(events[lost], outcome="unknown", peer="", pod="", listener="")
    events.insert(2, journal.Threshold(time=events[1].time, text="nlb.lost == 0"))
    events.insert(2, journal.Threshold(time=events[1].time, text="lost == 1"))
    assert [one.holds for one in compute(events).thresholds] == [True, None]


def of_three(made: ModuleType, *texts: str, **names: str) -> list[Measured]:
    events = made.Story(rate=20.0, balancers=made.THREE, moves=made.THREE_MOVES).events()
    named = [journal.BalancerNamed(time=made.EPOCH, name=name, balancer=of) for name, of in names.items()]
    limits = [journal.Threshold(time=made.EPOCH, text=text) for text in texts]
    return list(compute([*named, *limits, *events]).thresholds)


@pytest.mark.parametrize(
    ("text", "holds", "seen"),
    [
        ("service/shop/envoy.lost == 0", True, "0"),
        ("old.lost == 0", True, "0"),
        ("old.total > 1000", False, ""),
        ("alb.total > 0", True, ""),
        ("alb.p99 < 1us", False, ""),
        ("a1b2c3-00000000000000aa.elb.ap-northeast-1.amazonaws.com.failed == 0", True, "0"),
        (
            "nlb.lost == 0",
            None,
            "'nlb' is ambiguous: the run has 2 NLBs; write old or service/shop/envoy-internal",
        ),
        ("new.lost == 0", None, "no balancer has the name 'new'; write "),
        ("service/shop/never.lost == 0", None, "no request went through service/shop/never"),
    ],
)
def test_a_threshold_takes_any_name_of_a_balancer(
    made: ModuleType, text: str, holds: bool | None, seen: str
) -> None:
    (found,) = of_three(made, text, old="service/shop/envoy")
    assert found.holds is holds
    assert found.seen.startswith(seen)


def test_an_owner_of_two_balancers_means_both(made: ModuleType) -> None:
    old = made.THREE["tree"]
    new = dataclasses.replace(made.THREE["made"], owner=old.owner)
    balancers = {**made.THREE, "made": new}
    events = made.Story(rate=20.0, balancers=balancers, moves=made.THREE_MOVES).events()
    texts = [f"{old.owner}{number}.total > 0" for number in ("", " (1)", " (2)")]
    limits = [journal.Threshold(time=made.EPOCH, text=text) for text in [*texts, f"{old.owner}.p99 < 1h"]]
    both, first, second, latency = compute([*limits, *events]).thresholds
    assert int(both.seen) == int(first.seen) + int(second.seen) > int(first.seen) > 0
    assert latency.holds
    assert latency.seen.count("ms") == 2


def test_losses_through_an_address_of_no_balancer_leave_every_balancer_unmeasured(made: ModuleType) -> None:
    events = made.Story(rate=20.0).events()
    lost = next(number for number, event in enumerate(events) if isinstance(event, journal.Request))
    events[lost] = dataclasses.replace(events[lost], outcome="failed", peer="10.9.9.9")
    events.insert(2, journal.Threshold(time=events[1].time, text="nlb.lost == 0"))
    assert compute(events).thresholds[0].holds is None


def test_a_scenario_may_demand_that_shorter_outages_would_have_shown(made: ModuleType) -> None:
    verdict = judged(made, "longest_gap: 1m", "nlb.longest_gap < 1ms")
    enough, too_long = verdict.thresholds
    assert enough.holds is True
    assert "at the NLB" in enough.seen
    assert too_long.holds is None  # a gap is no proof of an outage
    assert verdict.result is Result.INCONCLUSIVE


def test_what_was_measured_names_its_clock(made: ModuleType) -> None:
    verdict = judged(made, "p99 < 1s", "moved_within: 15m", "longest_gap: 1m")
    latency, move, gap = (one.seen for one in verdict.thresholds)
    assert latency.endswith(" ms, wall time")
    assert move.endswith(" s, production time")
    assert gap.endswith(", production time")
