"""The loop runs when the real one runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.external_dns.core.facts import release_of
from testbed.external_dns.process.sync_schedule import Schedule
from tests.external_dns.releases import READ


@pytest.mark.parametrize(("version", "first"), [("v0.7.4", 105.0), ("v0.22", 100.0)])
def test_the_first_run_waits_before_v0_8_and_then_each_interval(version: str, first: float) -> None:
    schedule = Schedule(release_of(version), 60.0, 5.0, 100.0)
    assert schedule.due == first
    schedule.started(first)
    assert schedule.due == first + 60.0


def test_events_push_the_run_away_in_v0_7_and_not_since() -> None:
    dues = {}
    for version in ("v0.7.5", "v0.22"):
        schedule = Schedule(release_of(version), 60.0, 5.0, 0.0)
        schedule.started(0.0)
        for moment in (10.0, 13.0, 16.0):
            schedule.changed(moment)
        dues[version] = schedule.due
    assert dues == {"v0.7.5": 21.0, "v0.22": 15.0}


def test_the_least_pause_after_a_run_is_kept() -> None:
    schedule = Schedule(release_of("v0.22"), 60.0, 30.0, 0.0)
    schedule.started(0.0)
    schedule.changed(1.0)
    assert schedule.due == 30.0


@given(
    st.sampled_from(list(READ)),
    st.lists(st.tuples(st.booleans(), st.floats(0, 30)), max_size=20),
    st.floats(0, 60),
)
def test_an_event_never_delays_a_run_beyond_5_s_or_the_least_pause(
    version: str, steps: list[tuple[bool, float]], pause: float
) -> None:
    now, last = 0.0, float("-inf")
    schedule = Schedule(release_of(version), 60.0, pause, now)
    for is_run, later in steps:
        now += later
        if is_run:
            schedule.started(now)
            last = now
        else:
            schedule.changed(now)
            assert schedule.due <= max(now + 5.0, last + pause)
