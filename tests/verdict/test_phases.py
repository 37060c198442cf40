"""Counts and latencies of the requests, by step, balancer and over time."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import journal
from testbed.verdict.history import History
from testbed.verdict.phases import BUCKETS, Latency, Outcomes, Tally, tally
from testbed.verdict.reconciliation import Ledger

NODE = journal.Balancer(
    time=0.0, name="a", type="nlb", dns_name="a.elb", state="active", addresses=("10.0.0.1",)
)
REQUEST = journal.Request(
    time=1.2, id="r1", client="app-1", protocol="grpc", method="/a.B/C", shape="unary", intended=1.0,
    sent=1.1, address="a:443", peer="10.0.0.1", pod="envoy-0", listener="tls", status="OK", outcome="ok",
)  # fmt: skip


def counted(*requests: journal.Request) -> Tally:
    """Requests in two steps, from 1 to 2 and from 2 to 3."""
    history, ledger = History(), Ledger()
    history.add(NODE)
    for number in (1, 2):
        history.add(journal.StepStarted(time=float(number), number=number, title="t", why="w"))
    history.add(journal.RunFinished(time=3.0, reason="complete"))
    for request in requests:
        ledger.add_request(request)
    return tally(ledger, history)


def test_latency_runs_from_the_intended_start_to_the_end() -> None:
    latency = counted(REQUEST).all.latency
    assert latency.count == 1
    assert latency.max == pytest.approx(200_000, rel=0.001)


def test_streams_and_lost_requests_have_no_latency() -> None:
    stream = dataclasses.replace(REQUEST, shape="server_stream")
    failed = dataclasses.replace(REQUEST, outcome="failed")
    found = counted(stream, failed)
    assert found.all.latency == Latency()
    assert found.all.outcomes == Outcomes(ok=1, failed=1)
    assert found.all.outcomes.lost == 1


def test_a_request_belongs_to_the_step_in_which_it_was_intended() -> None:
    found = counted(REQUEST, dataclasses.replace(REQUEST, intended=1.9, sent=1.9, time=2.5))
    assert [phase.all.outcomes.total for phase in found.phases] == [2, 0]


def test_requests_before_the_first_step_have_a_phase_of_their_own() -> None:
    found = counted(dataclasses.replace(REQUEST, intended=0.5))
    assert [phase.step.number if phase.step else 0 for phase in found.phases] == [0, 1, 2]


def test_a_request_is_counted_for_the_balancer_whose_node_the_target_saw() -> None:
    elsewhere = dataclasses.replace(REQUEST, peer="10.9.9.9")
    unanswered = dataclasses.replace(REQUEST, peer="", pod="", outcome="unknown")
    found = counted(REQUEST, elsewhere, unanswered)
    totals = {name: share.outcomes.total for name, share in found.by_balancer.items()}
    assert totals == {"nlb": 1, "alb": 0, "unknown": 1, "none": 1}


def test_losses_are_counted_by_step_and_cause() -> None:
    failed = dataclasses.replace(REQUEST, outcome="failed", status="503")
    found = counted(failed, failed, dataclasses.replace(failed, intended=2.5))
    assert [(loss.step, loss.cause, loss.count) for loss in found.losses] == [(1, "503", 2), (2, "503", 1)]


def test_start_lag_is_how_late_requests_were_sent() -> None:
    assert counted(REQUEST).start_lag.max == pytest.approx(100_000, rel=0.002)


@given(moments=st.lists(st.floats(1.0, 3.0), min_size=1, max_size=40))
def test_the_timeline_holds_every_request_once(moments: list[float]) -> None:
    line = counted(*(dataclasses.replace(REQUEST, intended=time) for time in moments)).timeline
    assert sum(line.ok["nlb"]) == len(moments)
    assert len(line.lost) == BUCKETS


def test_a_made_up_run_adds_up(made: ModuleType) -> None:
    history, ledger = History(), Ledger()
    for event in made.Story(rate=10.0).events():
        if isinstance(event, journal.Request):
            ledger.add_request(event)
        elif not isinstance(event, journal.Access):
            history.add(event)
    found = tally(ledger, history)
    assert sum(phase.all.outcomes.total for phase in found.phases) == len(ledger)
