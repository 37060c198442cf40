"""The timeline of a run: requests, latency and connections over one time axis, with everything that happened.

```
 steps        │ 1 ───────│ 2 ─────────│ 3 ────│ 4 ────────────│
 requests/s   ▂▂▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅
 latency      ───────────────────────────────────────
 connections  ───────────────┐_______________________
 what happened    ●   ●     ●●       ●
```
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from testbed import journal
from testbed.rehearsal.moments import Drain, Move
from testbed.rehearsal.story import Story, Via
from testbed.rehearsal.verdict import Verdict
from testbed.report import charts
from testbed.report.charts import Axis, Chart, Shape, Tick
from testbed.report.words import Times, clock_time, duration, latency

LABEL = 13.0
"""Width of a cut's label in per cent of a wide page; nearer ones go to another row."""
CLOSE = 0.6
"""Marks of a lane nearer than this, in per cent of the width, are drawn as one."""
MARK_LINES = 12


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened; `lines` tell what, in the order of time."""

    position: float
    css: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """A line through all charts; its label stands in a row above them, to its left if `turned`."""

    position: float
    css: str
    label: str
    row: int
    turned: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """A row of marks below the charts."""

    title: str
    marks: tuple[Mark, ...]


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
    """Everything that the template needs to draw the timeline; `data` is for the reading under the mouse."""

    bands: tuple[Band, ...]
    charts: tuple[Chart, ...]
    lanes: tuple[Lane, ...]
    cuts: tuple[Cut, ...]
    production: tuple[Tick, ...]
    wall: tuple[Tick, ...]
    data: dict[str, Any]


def picture(verdict: Verdict) -> Picture:
    """Draw the timeline of a verdict."""
    story, times = verdict.story, Times(verdict.story)
    axis = Axis(story.begin, story.end)
    return Picture(
        tuple(_bands(story, axis)),
        tuple(
            chart for chart in (_requests(verdict), _latency(verdict), _connections(verdict, axis)) if chart
        ),
        tuple(lane for lane in _lanes(verdict, axis, times) if lane.marks),
        tuple(_cuts(verdict, axis, times)),
        _ticks(axis, times.speed, clock_time),
        _ticks(axis, 1.0, lambda seconds: f"{seconds:g} s"),
        _data(verdict, times),
    )


@dataclass(frozen=True, slots=True)
class DrainPicture:
    """How the connections of one protocol left a balancer after a move."""

    title: str
    sentence: str
    ended: str
    via: Via
    area: str
    line: str
    height: int
    top: int
    production: tuple[Tick, ...]


def drain_pictures(verdict: Verdict) -> list[DrainPicture]:
    """One picture for each move and protocol."""
    times = Times(verdict.story)
    return [_drain(move, drain, times) for move in verdict.movements.moves for drain in move.drains]


def _drain(move: Move, drain: Drain, times: Times) -> DrainPicture:
    axis, height = Axis(move.time, move.until), 90
    top = max(1, *(count for _, count in drain.points))
    path = charts.steps(drain.points, axis, height, top)
    protocol = {"grpc": "gRPC", "rest": "REST"}.get(drain.protocol, drain.protocol)
    if drain.empty_at is not None:
        took = f"the last one left after {times.lasted(drain.empty_at - move.time)}"
    else:
        took = f"{drain.left} still there after {times.lasted(move.until - move.time)}"
    ended = ", ".join(f"{count} by {reason}" for reason, count in drain.ended.items())
    age = ""
    if drain.ages:
        youngest, oldest = (duration(seconds * times.speed) for seconds in drain.ages)
        age = f", at an age of {youngest} to {oldest}"
    return DrainPicture(
        f"{move.title}: {protocol} leaves the {move.origin.upper()}",
        f"{drain.began_with} {drain.counts} when the alias moved; {took}",
        f"Ended: {ended}{age}" if ended else "None ended",
        move.origin,
        charts.closed(path, height),
        path,
        height,
        top,
        _ticks(axis, times.speed, lambda seconds: f"+{clock_time(seconds)}", 5),
    )


def _bands(story: Story, axis: Axis) -> Iterable[Band]:
    for step in story.steps():
        left = axis.percent(step.start)
        width = round(axis.percent(step.until) - left, 3)
        yield Band(step.number, step.title, left, width, "passed" if step.outcome == "passed" else "failed")


def _requests(verdict: Verdict) -> Chart:
    line, height = verdict.tally.timeline, 150
    layers = [
        ("nlb", "NLB", line.ok[Via.NLB]),
        ("alb", "ALB", line.ok[Via.ALB]),
        ("other", "other", tuple(map(sum, zip(line.ok[Via.NONE], line.ok[Via.UNKNOWN], strict=True)))),
        ("lost", "failed or unknown", line.lost),
    ]
    rates = [[count / line.width for count in counts] for _, _, counts in layers]
    top = charts.scale(max(map(sum, zip(*rates, strict=True)), default=0))
    shapes = [
        Shape(path, f"area {css}")
        for path, (css, _, _) in zip(charts.stacked(rates, height, top), layers, strict=True)
    ]
    legend = tuple((css, name) for css, name, counts in layers if any(counts) or css in ("nlb", "alb"))
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
    shapes = [
        Shape(charts.steps(points, axis, height, top), f"line {via.value}") for via, points in lines.items()
    ]
    legend = tuple((via.value, via.upper()) for via in lines)
    title = "Connections" if verdict.movements.counts == "connections" else "Clients"
    return Chart(title, "open at once", height, top, _levels(top, "{:g}"), tuple(shapes), legend)


def _levels(top: float, pattern: str) -> tuple[Tick, ...]:
    return tuple(Tick(100 - share * 100, pattern.format(top * share)) for share in (0.5, 1.0))


def _lanes(verdict: Verdict, axis: Axis, times: Times) -> Iterable[Lane]:
    story = verdict.story
    yield _lane("Operator", "operator", [(one.time, one.text) for one in story.actions], axis, times)
    yield _lane("Route 53", "dns", [(one.time, _change(one)) for one in story.dns_changes], axis, times)
    answers = [
        (one.time, f"{one.name} {one.type}: {', '.join(one.answers) or one.rcode}")
        for one in story.dns_answers
    ]
    yield _lane("DNS", "dns", answers, axis, times)
    balancers = [(one.time, f"{one.type.upper()} {one.name}: {one.state}") for one in story.balancers]
    yield _lane("Balancers", "balancer", balancers, axis, times)
    calls = [(one.time, f"{one.operation} {one.summary} ({one.status})") for one in story.api_calls]
    yield _lane("AWS API", "api", calls, axis, times)


def _lane(title: str, css: str, events: Sequence[tuple[float, str]], axis: Axis, times: Times) -> Lane:
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


def _change(event: journal.DnsChange) -> str:
    words = []
    for change in event.changes:
        record = change.get("ResourceRecordSet") or {}
        alias = record.get("AliasTarget") or {}
        target = f" to {alias.get('DNSName')}" if alias else ""
        words.append(f"{change.get('Action')} {record.get('Name')} {record.get('Type')}{target}")
    return "; ".join(words) + (f" refused: {event.refused}" if event.refused else "")


def _cuts(verdict: Verdict, axis: Axis, times: Times) -> Iterable[Cut]:
    """Lines through all charts: where the alias moved, and from when on the NLB may go."""
    lines = [
        (move.time, f"to-{move.to.value}", f"alias to {move.to.upper()}") for move in verdict.movements.moves
    ]
    if verdict.movements.may_go is not None:
        lines.append((verdict.movements.may_go, "may-go", "the NLB may go"))
    rows = [-LABEL, -LABEL]
    for time, css, text in sorted(lines):
        position = axis.percent(time)
        turned = position > 100 - LABEL
        begin = position - LABEL if turned else position
        row = 0 if rows[0] <= begin else 1
        rows[row] = begin + LABEL
        yield Cut(position, css, f"{text} {times.at(time)}", row, turned)


def _ticks(axis: Axis, speed: float, label: Any, wanted: int = 8) -> tuple[Tick, ...]:
    span = axis.span * speed
    step = charts.time_step(span, wanted)
    count = int(span / step + 1e-9)
    return tuple(
        Tick(round(number * step / span * 100, 3), label(number * step)) for number in range(count + 1)
    )


def _data(verdict: Verdict, times: Times) -> dict[str, Any]:
    line = verdict.tally.timeline
    return {
        "wall": [round(times.wall(line.start + index * line.width), 2) for index in range(len(line.lost))],
        "production": [times.at(line.start + index * line.width) for index in range(len(line.lost))],
        "nlb": [round(count / line.width) for count in line.ok[Via.NLB]],
        "alb": [round(count / line.width) for count in line.ok[Via.ALB]],
        "lost": list(line.lost),
        "p50": [latency(value) for value in line.p50],
        "p99": [latency(value) for value in line.p99],
        "bucket": duration(line.width),
    }
