"""A journal divided into intervals: nothing is lost, nothing counts twice."""

from __future__ import annotations

from types import ModuleType

from hypothesis import given
from hypothesis import strategies as st

from testbed import journal
from testbed.journal import Event
from testbed.live.ticks import Served, Tick, Way, ticks
from tests.live.rows import rows_of


def test_requests_and_access_lines_are_counted_and_all_else_is_kept(made: ModuleType) -> None:
    events: list[Event] = made.Story(rate=20.0).events()
    divided = ticks(rows_of(events), 400, 0.1)
    requests = [event for event in events if isinstance(event, journal.Request)]
    assert sum(tick.requests.total() for _, tick in divided) == len(requests)
    kept = [(event.kind, event.time) for _, tick in divided for event in tick.events]
    unseen = journal.Request | journal.Access | journal.Metrics | journal.ApiCall | journal.Standstill
    assert kept == [(event.kind, event.time) for event in events if not isinstance(event, unseen)]


def test_an_event_stands_in_the_tick_that_ends_after_it(made: ModuleType) -> None:
    divided = ticks(rows_of(made.Story(rate=5.0).events()), 50, 0.1)
    assert len(divided) <= 50
    before = 0.0
    for end, tick in divided:
        for event in tick.events:
            assert before < event.time <= end
        before = end


@given(st.integers(1, 40))
def test_there_are_never_more_ticks_than_asked_for(most: int) -> None:
    rows = [
        (0, "step_finished", {"time": 100.0 + at * 0.3, "number": 1, "outcome": "passed"}) for at in range(90)
    ]
    divided = ticks(rows, most, 0.1)
    assert len(divided) <= most
    assert sum(len(tick.events) for _, tick in divided) == 90


def test_a_journal_without_anything_has_no_ticks() -> None:
    assert ticks([], 10, 0.1) == []


def test_probes_and_health_checks_are_nobodys_requests() -> None:
    tick = Tick()
    for identity in ("run-1", "probe-1", "", None):
        tick.add("access", {"id": identity, "pod": "envoy-0", "upstream": "127.80.2.1:50051"})
    tick.add("access", {"id": "run-2", "pod": "envoy-0", "upstream": ""})
    assert tick.served == {Served("envoy-0", "127.80.2.1:50051"): 1}


def test_the_way_of_a_request_has_the_model_of_its_client() -> None:
    tick = Tick()
    tick.add("request", {"client": "grpcio-3", "peer": "127.80.10.1", "pod": "envoy-0", "outcome": "ok"})
    assert tick.requests == {Way("grpcio", "127.80.10.1", "envoy-0", "ok"): 1}
