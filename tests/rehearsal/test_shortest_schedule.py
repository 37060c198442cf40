"""The shortest part of a schedule that still fails."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from testbed.faults import DnsSilent, Scheduled
from testbed.rehearsal.shortest_schedule import shortest

FAULTS = [Scheduled(DnsSilent(), at=float(at), for_=1.0) for at in range(4)]


@given(st.sets(st.frozensets(st.integers(0, 3)), min_size=1))
def test_it_fails_and_nothing_shorter_does_and_nothing_is_asked_twice(failing: set[frozenset[int]]) -> None:
    asked: list[tuple[float, ...]] = []

    def fails(part: Sequence[Scheduled]) -> bool:
        asked.append(tuple(one.start for one in part))
        return any(cause <= {int(one.start) for one in part} for cause in failing)

    found = shortest(FAULTS, fails)
    assert len(found) == min(map(len, failing))
    assert any(cause == {int(one.start) for one in found} for cause in failing)
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert len(asked) == len(set(asked)) < 2 ** len(FAULTS)


def test_a_schedule_that_fails_only_as_a_whole_is_its_own_shortest() -> None:
    assert shortest(FAULTS, lambda _: False) == FAULTS
