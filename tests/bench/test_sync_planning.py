"""The work of a sync grows with the hosts, not with their square. Times are for `make bench`."""

from __future__ import annotations

import sys
from collections.abc import Callable

from testbed.bench import sync_planning

MOST_CALLS = 480
"""Calls of Python functions for each host: a third above what they are, to notice a slip in a loop."""


def calls(work: Callable[[], object]) -> int:
    """How many Python functions are called."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def test_ten_times_the_hosts_are_at_most_twelve_times_the_work() -> None:
    sync_planning.taken_by_sync(10)  # what is made once, such as tables
    few, many = (
        calls(lambda: sync_planning.taken_by_sync(100)),
        calls(lambda: sync_planning.taken_by_sync(1_000)),
    )
    assert many <= 12 * few


def test_a_host_costs_some_hundred_calls() -> None:
    sync_planning.taken_by_sync(10)
    assert calls(lambda: sync_planning.taken_by_sync(500)) <= 500 * MOST_CALLS
