from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.aws.api_throttle import Throttle


def test_the_sixth_call_of_a_second_is_refused() -> None:
    throttle = Throttle(5)
    assert [throttle.admits(100.0) for _ in range(6)] == [True] * 5 + [False]


def test_a_refused_call_may_come_again_when_there_is_room() -> None:
    throttle = Throttle(5)
    for _ in range(6):
        throttle.admits(100.0)
    assert throttle.admits(100.2)
    assert not throttle.admits(100.2)


@given(st.lists(st.floats(0, 0.5), max_size=60), st.integers(1, 10))
def test_no_second_holds_more_than_two_buckets(pauses: list[float], rate: int) -> None:
    throttle, now, admitted = Throttle(rate), 0.0, []
    for pause in pauses:
        now += pause
        if throttle.admits(now):
            admitted.append(now)
    for moment in admitted:
        assert sum(moment <= other < moment + 1 for other in admitted) <= 2 * rate
