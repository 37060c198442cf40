from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.external_dns.process.sync_times import SyncTimes

HEAD = "# HELP go_goroutines Number\n# TYPE go_goroutines gauge\ngo_goroutines 8\n"


def page(ended: float, begun: float | None = None) -> str:
    lines = f"external_dns_controller_last_sync_timestamp_seconds {ended:.9e}\n"
    if begun is not None:
        lines += f"external_dns_controller_last_reconcile_timestamp_seconds {begun:.9e}\n"
    return HEAD + lines


def counts(*pages: str) -> tuple[int, int]:
    times = SyncTimes()
    for one in pages:
        times.read(one)
    return times.started, times.finished


def test_before_the_first_sync_there_is_none() -> None:
    assert counts("", page(0, 0)) == (0, 0)


def test_a_sync_that_runs_has_begun_and_not_ended() -> None:
    assert counts(page(0, 100)) == (1, 0)
    assert counts(page(0, 100), page(101, 100), page(101, 160)) == (2, 1)


def test_a_sync_that_ended_counts_once_however_often_it_is_read() -> None:
    assert counts(page(101, 100), page(101, 100)) == (1, 1)


def test_a_sync_that_failed_has_ended_when_the_next_begins() -> None:
    assert counts(page(0, 100), page(0, 160)) == (2, 1)


def test_where_no_beginning_is_shown_the_next_sync_may_have_begun_already() -> None:
    assert counts(page(101), page(101)) == (2, 1)
    assert counts(page(101), page(161)) == (3, 2)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=8), st.booleans())
def test_a_sync_counts_as_ended_after_a_moment_only_if_it_began_after_it(
    syncs: list[tuple[bool, bool]], shows_begin: bool
) -> None:
    """Whoever looks while a sync runs waits for another one: `finished > started at that moment`."""
    times, ended, clock = SyncTimes(), 0.0, 100.0
    marks: list[tuple[int, int]] = []  # what had begun at a moment, and the number of the sync that ran then
    for number, (is_read_meanwhile, fails) in enumerate(syncs, start=1):
        begun, clock = clock, clock + 1
        if is_read_meanwhile:
            times.read(page(ended, begun if shows_begin else None))
            marks.append((times.started, number))
        ended = ended if fails else clock
        times.read(page(ended, begun if shows_begin else None))
        for mark, running in marks:
            if times.finished - mark >= 1:
                assert number > running
        clock += 59
