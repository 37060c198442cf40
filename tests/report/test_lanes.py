from __future__ import annotations

from testbed import journal
from testbed.report.charts import Axis
from testbed.report.lanes import MARK_LINES, lane
from testbed.report.words import Times
from testbed.verdict.history import History


def positions(*events: tuple[float, str]) -> list[tuple[float, int]]:
    history = History()
    history.add(journal.Action(time=0.0, step=1, text=""))
    marks = lane("Operator", "operator", events, Axis(0.0, 100.0), Times(history)).marks
    return [(mark.position, len(mark.lines)) for mark in marks]


def test_events_that_are_near_share_a_mark_whatever_their_order() -> None:
    assert positions((50.3, "b"), (10.0, "a"), (50.0, "c")) == [(10.0, 1), (50.0, 2)]


def test_a_mark_lists_no_more_than_so_many_events() -> None:
    assert positions(*((5.0, str(number)) for number in range(MARK_LINES + 9))) == [(5.0, MARK_LINES + 1)]
