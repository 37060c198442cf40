"""A row for each balancer below the charts: its name, when it was active, and the gap before one made anew.

```
 ■ service/shop/old   NLB, internet-facing
   ●━━━━━━━━━━━━━━━━━━━●
 ■ service/shop/new   NLB, internal
                       ╌╌ gap ╌╌●━━━━━━━━━━━━━
```
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from testbed.balancer_identity import title
from testbed.report.balancer_columns import all_columns, are_short, table_columns
from testbed.report.charts import Axis
from testbed.report.lanes import Mark, lane
from testbed.report.words import Times, duration
from testbed.verdict.history import History
from testbed.verdict.lifetimes import Succession, lifetimes, successions
from testbed.verdict.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of time in per cent of the width; `text` is said where the pointer is."""

    left: float
    width: float
    css: str
    text: str


@dataclass(frozen=True, slots=True)
class BalancerLane:
    """The row of a balancer."""

    heading: str
    about: str
    css: str
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]


def balancer_lanes(verdict: Verdict, axis: Axis, times: Times) -> tuple[BalancerLane, ...]:
    """Return a row for each balancer, the idle ones of a crowd last.

    A run that has the NLB and the ALB only has none, because these two share a lane.
    """
    history = verdict.history
    balancers = history.named_balancers()
    if are_short(balancers):
        return ()
    active = lifetimes(history, balancers)
    between = [(move.origin, move.to) for move in verdict.movements.moves]
    gaps = {one.to: one for one in successions(history, balancers, between) if one.gap != 0}
    rows = []
    used = table_columns(verdict)
    idle = [replace(column, css="idle") for column in all_columns(verdict) if column not in used]
    for column in (*used, *idle):
        bars = [
            _bar(axis, life.start, life.end or history.end, "", f"{column.heading} is active")
            for life in active.get(column.name, ())
        ]
        if gap := gaps.get(column.name):
            bars.append(_gap(gap, history, axis, times))
        events = [
            (one.time, f"{column.heading}: {one.state}")
            for one in history.balancers
            if balancers.name_of(one.dns_name) == column.name
        ]
        marks = lane(column.heading, "balancer", events, axis, times).marks
        rows.append(BalancerLane(column.heading, column.about, column.css, tuple(bars), marks))
    return tuple(rows)


def _gap(gap: Succession, history: History, axis: Axis, times: Times) -> Bar:
    end = history.end if gap.gap is None else gap.time + gap.gap
    lasted = duration((end - gap.time) * times.speed)
    return _bar(
        axis, gap.time, end, "gap", f"neither {title(gap.origin)} nor {title(gap.to)} is active, for {lasted}"
    )


def _bar(axis: Axis, start: float, end: float, css: str, text: str) -> Bar:
    left = axis.percent(start)
    return Bar(left, round(axis.percent(end) - left, 3), css, text)
