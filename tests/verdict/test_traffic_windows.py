"""When requests are due: between the operator's start and stop, whatever the generator does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import journal
from testbed.settings import PATIENCE
from testbed.verdict.history import History
from testbed.verdict.reconciliation import Ledger
from testbed.verdict.traffic_windows import TrafficWindow, traffic_windows

ORDERS = st.lists(st.tuples(st.floats(0, 29), st.booleans()), max_size=8)


def started(time: float, rate: float = 10.0) -> journal.TrafficStarted:
    return journal.TrafficStarted(time=time, step=1, rate=rate)


def stopped(time: float) -> journal.TrafficStopRequested:
    return journal.TrafficStopRequested(time=time, step=1)


def history(*orders: journal.Event) -> History:
    """Two steps, from 0 to 10 and from 10 to 30, with these orders."""
    found = History()
    for number, start, end in ((1, 0.0, 10.0), (2, 10.0, 30.0)):
        found.add(journal.StepStarted(time=start, number=number, title="t", why="w"))
        found.add(journal.StepFinished(time=end, number=number, outcome="passed"))
    for order in orders:
        found.add(order)
    return found


def ledger(*intended: float) -> Ledger:
    found = Ledger()
    found.intended.extend(intended)
    return found


def test_requests_are_due_from_the_start_to_the_stop() -> None:
    assert traffic_windows(history(started(2.0), stopped(12.0)), ledger(2.0)) == [
        TrafficWindow(2.0, 12.0, 10.0)
    ]


def test_without_a_stop_they_are_due_until_the_last_step_ends() -> None:
    assert traffic_windows(history(started(2.0)), ledger(2.0)) == [TrafficWindow(2.0, 30.0, 10.0)]


def test_a_second_start_of_traffic_that_runs_changes_nothing() -> None:
    windows = traffic_windows(history(started(2.0), started(3.0, rate=99.0), stopped(4.0)), ledger(2.0))
    assert windows == [TrafficWindow(2.0, 4.0, 10.0)]


def test_traffic_that_is_stopped_and_started_again_has_two_windows() -> None:
    orders = started(2.0), stopped(4.0), started(20.0, rate=5.0)
    windows = traffic_windows(history(*orders), ledger(2.0, 20.0))
    assert windows == [TrafficWindow(2.0, 4.0, 10.0), TrafficWindow(20.0, 30.0, 5.0)]


def test_a_generator_may_take_a_moment_to_get_going_within_its_step() -> None:
    first = 2.0 + PATIENCE.traffic_start / 2
    assert traffic_windows(history(started(2.0)), ledger(first))[0].start == first


@pytest.mark.parametrize(
    ("start", "first"),
    [(2.0, 2.1 + PATIENCE.traffic_start), (9.99, 10.01)],
    ids=["too late", "in the next step"],
)
def test_a_generator_that_begins_late_does_not_move_the_window(start: float, first: float) -> None:
    assert traffic_windows(history(started(start)), ledger(first))[0].start == start


def test_traffic_that_no_operator_started_is_due_from_its_first_request() -> None:
    assert traffic_windows(history(), ledger(7.0, 5.0)) == [TrafficWindow(5.0, 30.0, 0.0)]
    assert traffic_windows(history(), ledger()) == []


def test_due_requests_are_those_of_the_overlap() -> None:
    window = TrafficWindow(2.0, 12.0, 10.0)
    assert window.due(0.0, 10.0) == 80.0
    assert window.due(10.0, 30.0) == 20.0
    assert window.due(12.0, 30.0) == 0.0


@given(orders=ORDERS)
def test_windows_never_overlap_and_never_outlast_the_story(orders: list[tuple[float, bool]]) -> None:
    events = [started(time) if starts else stopped(time) for time, starts in orders]
    windows = traffic_windows(history(*events), ledger(*(time for time, _ in orders)))
    edges = [edge for window in windows for edge in (window.start, window.end)]
    assert edges == sorted(edges)
    assert all(edge <= 30.0 for edge in edges)
