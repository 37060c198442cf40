"""`report.html`: one self-contained page. The template escapes every text that comes from the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from testbed import journal
from testbed.balancer_identity import phrase, title
from testbed.live.page_files import page_file
from testbed.live.replay import Replay
from testbed.network import BALANCER_TYPES
from testbed.report import words
from testbed.report.balancer_columns import Column, by_name, kind_and_scheme
from testbed.report.client_rows import HEADINGS, client_rows, extrapolated, who_calls
from testbed.report.timeline import drain_pictures, picture
from testbed.report.words import Times
from testbed.verdict import outage_findings
from testbed.verdict.history import Step
from testbed.verdict.phases import Latency, Outcomes, Phase, Share
from testbed.verdict.verdict import Verdict

LOG_LINES_A_STEP = 60
EXTERNAL_DNS = frozenset(("external-dns", "external_dns", "externaldns"))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table of steps: one balancer in one step."""

    balancer: Column
    outcomes: Outcomes
    rate: float
    latency: Latency
    protocols: tuple[tuple[str, Share], ...]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of ExternalDNS's log, and how often it occurs in the step."""

    when: str
    level: str
    message: str
    times: int


@dataclass(frozen=True, slots=True)
class Chapter:
    """A step as the page shows it."""

    step: Step | None
    began: str
    lasted: str
    rows: tuple[Row, ...]
    actions: tuple[tuple[str, str], ...]
    commands: tuple[journal.Command, ...]
    expectations: tuple[journal.Expectation, ...]
    log: tuple[LogLine, ...]
    log_left_out: int


def render(verdict: Verdict, replay: Replay | None = None) -> bytes:
    """Return the page, UTF-8; with a replay it has the time slider."""
    times = Times(verdict.history)
    template = _environment().get_template("report.html.j2")
    run = verdict.history.runs[0] if verdict.history.runs else None
    return template.render(
        verdict=verdict,
        headline=words.headline(verdict),
        sight=outage_findings.excluded(verdict.gaps, verdict.history),
        clocks=outage_findings.CLOCKS,
        run=run,
        facts=_facts(verdict, times),
        picture=picture(verdict),
        drains=drain_pictures(verdict),
        client_headings=HEADINGS,
        client_rows=client_rows(verdict),
        who_calls=who_calls(verdict),
        extrapolated=list(extrapolated(verdict)),
        chapters=list(_chapters(verdict, times)),
        moments=[
            (times.both(moment.time) if moment.time is not None else "not yet", moment)
            for moment in sorted(verdict.movements.moments, key=lambda one: one.time or float("inf"))
        ],
        gaps=[
            (move, times.lasted(move.gap), move.action.text)
            for move in verdict.movements.moves
            if move.gap is not None and move.action
        ],
        about=_about(verdict, times),
        times=times,
        words=words,
        phrase=phrase,
        replay=Markup(replay.as_script()) if replay else "",  # noqa: S704 it has no "<"
        page_file=lambda name: Markup(page_file(name)),  # noqa: S704 a file of the package
    ).encode("utf-8", "replace")  # output of a command may hold half a surrogate pair


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,  # not select_autoescape, which would miss the suffix .j2
        undefined=jinja2.StrictUndefined,  # a misspelt name fails instead of printing nothing
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["latency"] = words.latency
    environment.filters["count"] = words.count
    return environment


def _facts(verdict: Verdict, times: Times) -> list[tuple[str, str, str]]:
    """Return the figures at the top of the page: label, remark, value."""
    counted, outcomes, latency = verdict.tally, verdict.requests, verdict.tally.all.latency
    facts = [
        ("Requests", f"{counted.all.rate:,.0f} per second", words.count(outcomes.total)),
        ("Failed", "", words.count(outcomes.failed)),
        ("Unknown", "sent, never answered", words.count(outcomes.unknown)),
        ("Latency p99", f"p50 {words.latency(latency.p50)}", words.latency(latency.p99)),
    ]
    moves = verdict.movements.moves
    if moves and moves[0].gap is not None:
        gap = words.duration(moves[0].gap * times.speed)
        remark = f"after the action ({words.duration(moves[0].gap)} wall)"
        facts.append((*_short(moves[0].to, "First {} request", "First request", remark), gap))
    for departure in verdict.movements.departures:
        at, remark = "not yet", ""
        if departure.time is not None:
            at = times.at(departure.time)
            remark = f"after the start ({times.wall(departure.time):.1f}\u00a0s\u00a0wall)"
        if departure.time is not None or moves:
            facts.append((*_short(departure.balancer, "The {} may go", "May go", remark), at))
    return facts


def _short(name: str, label: str, without: str, remark: str) -> tuple[str, str]:
    """Return label and remark of a figure of one balancer: a long name is in the remark, not in the label."""
    if name in BALANCER_TYPES:
        return label.format(title(name)), remark
    return without, ", ".join(filter(None, (name, remark)))


def _chapters(verdict: Verdict, times: Times) -> Iterable[Chapter]:
    history = verdict.history
    shown = by_name(verdict)
    logs = [event for event in history.logs if event.component.lower().partition("/")[0] in EXTERNAL_DNS]
    for phase in verdict.tally.phases:
        step = phase.step
        start, end = (step.start, step.until) if step else (history.begin, history.begin)
        mine = [event for event in logs if start <= event.time < end]
        said = _said(mine, times)
        number = step.number if step else 0
        yield Chapter(
            step,
            times.both(start),
            times.lasted(end - start),
            tuple(_rows(phase, shown)),
            tuple((times.at(one.time), one.text) for one in history.actions if one.step == number),
            tuple(one for one in history.commands if one.step == number),
            tuple(one for one in history.expectations if one.step == number),
            tuple(said[:LOG_LINES_A_STEP]),
            max(0, len(said) - LOG_LINES_A_STEP),
        )


def _said(log: Iterable[journal.Log], times: Times) -> list[LogLine]:
    """Return each distinct line once, where it first occurs: every sync repeats most of them."""
    first: dict[tuple[str, str], float] = {}
    repeats: Counter[tuple[str, str]] = Counter()
    for line in log:
        key = (line.level.lower(), line.message)
        first.setdefault(key, line.time)
        repeats[key] += 1
    return [LogLine(times.at(time), *key, repeats[key]) for key, time in first.items()]


def _rows(phase: Phase, shown: Mapping[str, Column]) -> Iterable[Row]:
    for name, share in phase.by_balancer.items():
        if not share.outcomes.total:
            continue
        protocols = tuple(
            (protocol, part) for (other, protocol), part in phase.by_protocol.items() if other == name
        )
        yield Row(shown[name], share.outcomes, share.rate, share.latency, protocols)


def _about(verdict: Verdict, times: Times) -> list[tuple[str, str]]:
    history, counted = verdict.history, verdict.tally
    about: list[tuple[str, Any]] = []
    for run in history.runs[:1]:
        about += [
            ("Started", words.date(run.time)),
            ("Play it again", run.command or "with testbed rehearse"),
            ("Scenario", run.scenario),
            ("Host", run.host),
            ("Speed", f"{history.speed:g} production seconds in one second"),
            ("Rate", f"{run.rate:g} requests per second, sent on schedule, however slow the answers"),
            ("ExternalDNS", words.release(run.external_dns, run.external_dns_by, run.external_dns_binary)),
            (
                "LB Controller",
                words.release(run.lb_controller, run.lb_controller_by, run.lb_controller_binary),
            ),
            ("Seed", run.seed),
            ("Network", run.network),
            ("Testbed", run.testbed),
            ("Machine", run.machine),
        ]
    about += [("Real controller", "\n".join(words.real_controller(one))) for one in history.real_controllers]
    for name, balancer in history.named_balancers().by_name.items():
        if balancer.dns_name:
            made = f"made by {balancer.owner}" if balancer.owner else ""
            known = filter(None, (kind_and_scheme(balancer), made, balancer.dns_name))
            about.append((title(name), ", ".join(known)))
    about.append(("Duration", f"{times.lasted(history.end - history.begin)}: production time (wall time)"))
    lag = counted.start_lag
    about.append(
        (
            "Start lag",
            f"p50 {words.latency(lag.p50)}, p99 {words.latency(lag.p99)}, max {words.latency(lag.max)}",
        )
    )
    for stop in history.traffic:
        text = f"{stop.scheduled:,} scheduled, {stop.sent:,} sent, {stop.finished:,} finished"
        about.append(("Schedule", f"{text}, {stop.never_started:,} never started"))
    if acts := [one.text for one in history.page_acts]:
        about.append(
            ("Acts on the live page", f"{len(acts):,}, so it does not repeat itself: {'; '.join(acts)}")
        )
    if ipv6 := words.ipv6_clients(counted):
        about.append(("IPv6 clients", ipv6))
    if forecast := words.forecast(verdict):
        about.append(("Forecast", forecast))
    about.append(("Other requests at the targets", f"{verdict.other_requests:,}: health checks, probes"))
    return [(name, str(value)) for name, value in about]
