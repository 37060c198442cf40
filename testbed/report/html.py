"""`report.html`: one self-contained page. What a run says is text to the template, which escapes it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from testbed import journal
from testbed.rehearsal.phases import Latency, Outcomes, Phase, Share
from testbed.rehearsal.story import Step, Via
from testbed.rehearsal.verdict import Verdict
from testbed.report import words
from testbed.report.timeline import drain_pictures, picture
from testbed.report.words import Times

LOG_LINES_A_STEP = 60
EXTERNAL_DNS = frozenset(("external-dns", "external_dns", "externaldns"))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of steps: one balancer in one step, or a step in all (`via` empty)."""

    via: str
    name: str
    outcomes: Outcomes
    rate: float
    latency: Latency
    protocols: tuple[tuple[str, Share], ...]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of ExternalDNS's log, and how often it was said in the step."""

    when: str
    level: str
    message: str
    times: int


@dataclass(frozen=True, slots=True)
class Chapter:
    """A step as the page tells it."""

    step: Step | None
    began: str
    lasted: str
    rows: tuple[Row, ...]
    actions: tuple[tuple[str, str], ...]
    commands: tuple[journal.Command, ...]
    expectations: tuple[journal.Expectation, ...]
    log: tuple[LogLine, ...]
    log_left_out: int


def render(verdict: Verdict) -> bytes:
    """The page."""
    times = Times(verdict.story)
    template = _environment().get_template("report.html.j2")
    run = verdict.story.runs[0] if verdict.story.runs else None
    return template.render(
        verdict=verdict,
        headline=words.headline(verdict),
        run=run,
        facts=_facts(verdict, times),
        picture=picture(verdict),
        drains=drain_pictures(verdict),
        chapters=list(_chapters(verdict, times)),
        moments=[
            (times.both(moment.time) if moment.time is not None else "not yet", moment)
            for moment in sorted(verdict.movements.moments, key=lambda one: one.time or float("inf"))
        ],
        gaps=[
            (move, times.lasted(move.gap), move.asked.text)
            for move in verdict.movements.moves
            if move.gap is not None and move.asked
        ],
        about=_about(verdict, times),
        times=times,
        words=words,
    ).encode("utf-8", "replace")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["latency"] = words.latency
    environment.filters["count"] = words.count
    return environment


def _facts(verdict: Verdict, times: Times) -> list[tuple[str, str, str]]:
    """Figures for the top of the page: label, value, remark."""
    counted, outcomes = verdict.tally, verdict.requests
    facts = [
        ("Requests", words.count(outcomes.total), f"{counted.all.rate:,.0f} per second"),
        ("Failed", words.count(outcomes.failed), ""),
        ("Unknown", words.count(outcomes.unknown), "sent, never answered"),
        (
            "Latency p99",
            words.latency(counted.all.latency.p99),
            f"p50 {words.latency(counted.all.latency.p50)}",
        ),
    ]
    moves = verdict.movements.moves
    if moves and moves[0].gap is not None:
        gap = words.duration(moves[0].gap * times.speed)
        facts.append(("Act to first on ALB", gap, f"{words.duration(moves[0].gap)} of wall time"))
    may_go = verdict.movements.may_go
    if may_go is not None:
        facts.append(("The NLB may go", times.at(may_go), f"after {times.wall(may_go):.1f} s of wall time"))
    elif moves:
        facts.append(("The NLB may go", "not yet", ""))
    return facts


def _chapters(verdict: Verdict, times: Times) -> Iterable[Chapter]:
    story = verdict.story
    logs = [event for event in story.logs if event.component.lower() in EXTERNAL_DNS]
    for phase in verdict.tally.phases:
        step = phase.step
        start, end = (step.start, step.until) if step else (story.begin, story.begin)
        mine = [event for event in logs if start <= event.time < end]
        said = _said(mine, times)
        number = step.number if step else 0
        yield Chapter(
            step,
            times.both(start),
            times.lasted(end - start),
            tuple(_rows(phase)),
            tuple((times.at(one.time), one.text) for one in story.actions if one.step == number),
            tuple(one for one in story.commands if one.step == number),
            tuple(one for one in story.expectations if one.step == number),
            tuple(said[:LOG_LINES_A_STEP]),
            max(0, len(said) - LOG_LINES_A_STEP),
        )


def _said(log: Iterable[journal.Log], times: Times) -> list[LogLine]:
    """Each different line once, where it was first said: every sync repeats most of them."""
    first: dict[tuple[str, str], float] = {}
    repeats: Counter[tuple[str, str]] = Counter()
    for one in log:
        key = (one.level.lower(), one.message)
        first.setdefault(key, one.time)
        repeats[key] += 1
    return [LogLine(times.at(time), *key, repeats[key]) for key, time in first.items()]


NAMES = {Via.NLB: "NLB", Via.ALB: "ALB", Via.NONE: "not answered", Via.UNKNOWN: "unknown balancer"}


def _rows(phase: Phase) -> Iterable[Row]:
    for via, share in phase.by_balancer.items():
        if not share.outcomes.total:
            continue
        protocols = tuple(
            (protocol, one) for (other, protocol), one in phase.by_protocol.items() if other is via
        )
        yield Row(via.value, NAMES[via], share.outcomes, share.rate, share.latency, protocols)


def _about(verdict: Verdict, times: Times) -> list[tuple[str, str]]:
    story, counted = verdict.story, verdict.tally
    about: list[tuple[str, Any]] = []
    for run in story.runs[:1]:
        about += [
            ("Scenario", run.scenario),
            ("Host", run.host),
            ("Speed", f"{story.speed:g} production seconds in one second"),
            ("Rate", f"{run.rate:g} requests per second, sent on schedule whatever the answers"),
            ("ExternalDNS", run.external_dns),
            ("Seed", run.seed),
            ("Network", run.network),
            ("Testbed", run.testbed),
            ("Machine", run.machine),
        ]
    about.append(("Duration", f"{times.lasted(story.end - story.begin)}: production time (wall time)"))
    lag = counted.start_lag
    about.append(
        (
            "Start lag",
            f"p50 {words.latency(lag.p50)}, p99 {words.latency(lag.p99)}, max {words.latency(lag.max)}",
        )
    )
    for stop in story.traffic:
        text = f"{stop.scheduled:,} scheduled, {stop.sent:,} sent, {stop.finished:,} finished"
        about.append(("Schedule", f"{text}, {stop.never_started:,} never started"))
    about.append(("Other requests at the targets", f"{verdict.other_requests:,}: health checks, probes"))
    return [(name, str(value)) for name, value in about]
