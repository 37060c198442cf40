"""The timeline of a run: requests, latency, connections and events over one time axis.

```
 steps        │ 1 ───────│ 2 ─────────│ 3 ────│ 4 ────────────│
 requests/s   ▂▂▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅
 latency      ───────────────────────────────────────
 connections  ───────────────┐_______________________
 what happened    ●   ●     ●●       ●
```
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from testbed import journal
from testbed.balancer_identity import NONE, UNKNOWN, phrase, title
from testbed.report import charts
from testbed.report.balancer_columns import are_short, by_name, table_columns
from testbed.report.balancer_lanes import BalancerLane, balancer_lanes
from testbed.report.charts import Axis, Chart, Shape, Tick
from testbed.report.lanes import Lane, lane
from testbed.report.words import Times, clock_time, duration, latency
from testbed.verdict.drains import Drain
from testbed.verdict.history import History
from testbed.verdict.moments import Move
from testbed.verdict.verdict import Verdict

LABEL = 13.0
"""Least width of a cut's label in per cent of a wide page; nearer ones go to another row."""
LETTER = 0.62
"""Width of a letter of the label, likewise."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A vertical line through all charts; its label is in a row above them, to its left if `turned`.

    `tone` is the class of the balancer that the alias moved to, "" for another cut.
    """

    position: float
    css: str
    tone: str
    label: str
    row: int
    turned: bool


@dataclass(frozen=True, slots=True)
class Band:
    """A step on the time axis, in per cent."""

    number: int
    title: str
    left: float
    width: float
    css: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the template draws; `data` holds the values shown at the mouse pointer."""

    bands: tuple[Band, ...]
    charts: tuple[Chart, ...]
    lanes: tuple[Lane, ...]
    balancers: tuple[BalancerLane, ...]
    cuts: tuple[Cut, ...]
    cut_rows: int
    production: tuple[Tick, ...]
    wall: tuple[Tick, ...]
    data: dict[str, Any]


def picture(verdict: Verdict) -> Picture:
    """Return the timeline of a verdict."""
    history, times = verdict.history, Times(verdict.history)
    axis = Axis(history.begin, history.end)
    cuts = tuple(_cuts(verdict, axis, times))
    return Picture(
        tuple(_bands(history, axis)),
        tuple(
            chart for chart in (_requests(verdict), _latency(verdict), _connections(verdict, axis)) if chart
        ),
        tuple(lane for lane in _lanes(verdict, axis, times) if lane.marks),
        balancer_lanes(verdict, axis, times),
        cuts,
        max((cut.row for cut in cuts), default=0) + 1,
        _ticks(axis, times.speed, clock_time),
        _ticks(axis, 1.0, lambda seconds: f"{seconds:g} s"),
        _data(verdict, times),
    )


@dataclass(frozen=True, slots=True)
class DrainPicture:
    """A chart of how the connections of one protocol left a balancer after a move."""

    title: str
    sentence: str
    ended: str
    css: str
    area: str
    line: str
    height: int
    top: int
    production: tuple[Tick, ...]


def drain_pictures(verdict: Verdict) -> list[DrainPicture]:
    """Return one chart for each move and protocol."""
    times = Times(verdict.history)
    css = {name: column.css for name, column in by_name(verdict).items()}
    return [
        _drain(move, drain, times, css[move.origin])
        for move in verdict.movements.moves
        for drain in move.drains
    ]


def _drain(move: Move, drain: Drain, times: Times, css: str) -> DrainPicture:
    axis, height = Axis(move.time, move.drained_until), 90
    top = max(1, *(count for _, count in drain.points))
    path = charts.steps(drain.points, axis, height, top)
    protocol = {"grpc": "gRPC", "rest": "REST"}.get(drain.protocol, drain.protocol)
    if drain.empty_at is not None:
        took = f"the last one left after {times.lasted(drain.empty_at - move.time)}"
    else:
        took = f"{drain.left} still open after {times.lasted(move.drained_until - move.time)}"
    later = f", {drain.opened_later} opened later from a cached answer" if drain.opened_later else ""
    causes = ", ".join(f"{reason} ({count})" for reason, count in drain.ended.items())
    age = ""
    if drain.ages:
        youngest, oldest = (duration(seconds * times.speed) for seconds in drain.ages)
        age = f". Age at the end: {youngest} to {oldest}"
    return DrainPicture(
        f"{move.title}: {protocol} leaves {phrase(move.origin)}",
        f"{drain.began_with} {drain.counts} when the alias moved{later}; {took}",
        f"Causes: {causes}{age}" if causes else f"No {drain.counts.removesuffix('s')} ended",
        css,
        charts.closed(path, height),
        path,
        height,
        top,
        _ticks(axis, times.speed, lambda seconds: f"+{clock_time(seconds)}", 5),
    )


def _bands(history: History, axis: Axis) -> Iterable[Band]:
    for step in history.steps():
        left = axis.percent(step.start)
        width = round(axis.percent(step.until) - left, 3)
        yield Band(step.number, step.title, left, width, "passed" if step.outcome == "passed" else "failed")


def _requests(verdict: Verdict) -> Chart:
    line, height = verdict.tally.timeline, 150
    shown = table_columns(verdict)
    layers = [
        *((column.css, column.heading, line.ok[column.name]) for column in shown),
        ("other", "other", tuple(map(sum, zip(line.ok[NONE], line.ok[UNKNOWN], strict=True)))),
        ("lost", "failed or unknown", line.lost),
    ]
    rates = [[count / line.width for count in counts] for _, _, counts in layers]
    top = charts.scale(max(map(sum, zip(*rates, strict=True)), default=0))
    shapes = [
        Shape(path, f"area {css}")
        for path, (css, _, _) in zip(charts.stacked(rates, height, top), layers, strict=True)
    ]
    legend = tuple((css, name) for css, name, counts in layers if any(counts) or css not in ("other", "lost"))
    return Chart("Requests", "per second", height, top, _levels(top, "{:g}"), tuple(shapes), legend)


def _latency(verdict: Verdict) -> Chart | None:
    line, height = verdict.tally.timeline, 90
    known = [value for value in (*line.p99, *line.p50) if value is not None]
    if not known:
        return None
    top = charts.scale(max(known) / 1e3) * 1e3
    shapes = (
        Shape(charts.line(line.p99, height, top), "line p99"),
        Shape(charts.line(line.p50, height, top), "line p50"),
    )
    ticks = tuple(Tick(100 - share * 100, latency(round(top * share))) for share in (0.5, 1.0))
    return Chart(
        "Latency",
        "unary, from the intended start",
        height,
        top,
        ticks,
        shapes,
        (("p99", "p99"), ("p50", "p50")),
    )


def _connections(verdict: Verdict, axis: Axis) -> Chart | None:
    lines, height = verdict.movements.connections, 70
    if not lines:
        return None
    top = charts.scale(max(count for points in lines.values() for _, count in points))
    shown = by_name(verdict)
    shapes = [
        Shape(charts.steps(points, axis, height, top), f"line {shown[name].css}")
        for name, points in lines.items()
    ]
    legend = tuple((shown[name].css, shown[name].heading) for name in lines)
    title = "Connections" if verdict.movements.counts == "connections" else "Clients"
    return Chart(title, "open at once", height, top, _levels(top, "{:g}"), tuple(shapes), legend)


def _levels(top: float, pattern: str) -> tuple[Tick, ...]:
    return tuple(Tick(100 - share * 100, pattern.format(top * share)) for share in (0.5, 1.0))


def _lanes(verdict: Verdict, axis: Axis, times: Times) -> Iterable[Lane]:
    history = verdict.history
    yield lane("Operator", "operator", [(one.time, one.text) for one in history.actions], axis, times)
    yield lane("Faults", "fault", _faults(history), axis, times)
    yield lane("Route 53", "dns", [(one.time, _change(one)) for one in history.dns_changes], axis, times)
    answers = [
        (one.time, f"{one.name} {one.type}: {', '.join(one.answers) or one.rcode}")
        for one in history.dns_answers
    ]
    yield lane("DNS", "dns", answers, axis, times)
    if are_short(history.named_balancers()):
        balancers = [(one.time, f"{one.type.upper()} {one.name}: {one.state}") for one in history.balancers]
        yield lane("Balancers", "balancer", balancers, axis, times)
    calls = [(one.time, f"{one.operation} {one.summary} ({one.status})") for one in history.api_calls]
    yield lane("AWS API", "api", calls, axis, times)


def _faults(history: History) -> list[tuple[float, str]]:
    texts = {one.number: one.text for one in history.faults if isinstance(one, journal.FaultStarted)}
    return [
        (one.time, one.text)
        if isinstance(one, journal.FaultStarted)
        else (one.time, f"end of {texts.get(one.number, 'a fault')}")
        for one in history.faults
    ]


def _change(event: journal.DnsChange) -> str:
    words = []
    for change in event.changes:
        record = change.get("ResourceRecordSet") or {}
        alias = record.get("AliasTarget") or {}
        target = f" to {alias.get('DNSName')}" if alias else ""
        words.append(f"{change.get('Action')} {record.get('Name')} {record.get('Type')}{target}")
    return "; ".join(words) + (f" refused: {event.refused}" if event.refused else "")


def _cuts(verdict: Verdict, axis: Axis, times: Times) -> Iterable[Cut]:
    """Return the lines through all charts: when the alias moved, and when an old balancer may go."""
    shown = by_name(verdict)
    lines = [
        (move.time, shown[move.to].css, f"alias to {title(move.to)}") for move in verdict.movements.moves
    ]
    lines += [
        (departure.time, "", f"{phrase(departure.balancer)} may go")
        for departure in verdict.movements.departures
        if departure.time is not None
    ]
    ends: list[float] = []
    for time, tone, text in sorted(lines):
        position, label = axis.percent(time), f"{text} {times.at(time)}"
        width = max(LABEL, LETTER * len(label))
        # A label that would leave the page on the right stands to the left of its line.
        turned = position > 100 - width
        begin = position - width if turned else position
        row = next((row for row, end in enumerate(ends) if end <= begin), len(ends))
        ends[row : row + 1] = [begin + width]
        yield Cut(position, f"to-{tone}" if tone else "may-go", tone, label, row, turned)


def _ticks(axis: Axis, speed: float, label: Any, most: int = 8) -> tuple[Tick, ...]:
    span = axis.span * speed
    step = charts.time_step(span, most)
    # A tick at the very end must not be lost to rounding.
    count = int(span / step + 1e-9)
    return tuple(
        Tick(round(number * step / span * 100, 3), label(number * step)) for number in range(count + 1)
    )


def _data(verdict: Verdict, times: Times) -> dict[str, Any]:
    line = verdict.tally.timeline
    return {
        "wall": [round(times.wall(line.start + index * line.width), 2) for index in range(len(line.lost))],
        "production": [times.at(line.start + index * line.width) for index in range(len(line.lost))],
        "balancers": [
            {"name": column.heading, "rates": [round(count / line.width) for count in line.ok[column.name]]}
            for column in table_columns(verdict)
        ],
        "lost": list(line.lost),
        "p50": [latency(value) for value in line.p50],
        "p99": [latency(value) for value in line.p99],
        "bucket": duration(line.width),
    }
