"""Rows of marks below the charts: the events of one kind, at their time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.report.charts import Axis
from testbed.report.words import Times

CLOSE = 0.6
"""Marks of a lane nearer than this, in per cent of the width, are drawn as one."""
MARK_LINES = 12


@dataclass(frozen=True, slots=True)
class Mark:
    """One or more events at one position; a line for each, in the order of time."""

    position: float
    css: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """A row of marks below the charts."""

    title: str
    marks: tuple[Mark, ...]


def lane(title: str, css: str, events: Sequence[tuple[float, str]], axis: Axis, times: Times) -> Lane:
    """Return the lane of some events, each with its time and text."""
    groups: list[tuple[float, list[str]]] = []
    for time, text in sorted(events, key=lambda event: event[0]):
        position = axis.percent(time)
        line = f"{times.at(time)}  {text}"
        if groups and position - groups[-1][0] < CLOSE:
            groups[-1][1].append(line)
        else:
            groups.append((position, [line]))
    return Lane(title, tuple(Mark(position, css, _first(lines)) for position, lines in groups))


def _first(lines: list[str]) -> tuple[str, ...]:
    if len(lines) <= MARK_LINES:
        return tuple(lines)
    return (*lines[:MARK_LINES], f"and {len(lines) - MARK_LINES} more")
