"""`summary.md`: the verdict as Markdown, short enough for the page of a CI run.

Text that comes from the run is escaped: no character of it means anything to Markdown or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from testbed.balancer_identity import title
from testbed.report import words
from testbed.report.balancer_columns import all_columns, table_columns
from testbed.report.client_rows import HEADINGS, client_rows, who_calls
from testbed.report.words import Times
from testbed.verdict import outage_findings
from testbed.verdict.findings import Result
from testbed.verdict.verdict import Verdict

_SIGNS = {Result.PASS: "✅", Result.FAIL: "❌", Result.INCONCLUSIVE: "⚠️"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@-])")
_REASONS = 20


def render(verdict: Verdict) -> str:
    """Return the verdict: result, reasons, thresholds, balancers, a row for each step, the moves."""
    parts = (_head, _reasons, _controller_errors, _thresholds, _balancers, _steps, _moves, _clients)
    return "\n".join(line for part in parts for line in part(verdict))


def _head(verdict: Verdict) -> Iterator[str]:
    run = verdict.history.runs[0] if verdict.history.runs else None
    yield f"## {_SIGNS[verdict.result]} {verdict.result.value}: {_text(run.title if run else 'rehearsal')}"
    yield ""
    yield _text(words.headline(verdict))
    yield ""
    if sight := outage_findings.excluded(verdict.gaps, verdict.history):
        yield _text(f"{sight} {outage_findings.CLOCKS}")
        yield ""
    if ipv6 := words.ipv6_clients(verdict.tally):
        yield from (_text(ipv6), "")
    if forecast := words.forecast(verdict):
        yield from (_text(forecast), "")
    if sentences := words.left_out(verdict.history):
        yield from (*(f"- {_text(sentence)}" for sentence in sentences), "")
    if run:
        about = f"{run.host}, {words.external_dns(run)}, {run.rate:g} requests per second"
        yield _text(f"{about}, {verdict.history.speed:g} times production speed")
        yield ""


def _reasons(verdict: Verdict) -> Iterator[str]:
    if not verdict.findings:
        return
    yield from ("### Why", "")
    for finding in verdict.findings[:_REASONS]:
        yield f"- **{_text(finding.reason.title)}**: {_text(finding.text)}"
    if len(verdict.findings) > _REASONS:
        yield f"- and {len(verdict.findings) - _REASONS} more, in the report"
    yield ""


def _controller_errors(verdict: Verdict) -> Iterator[str]:
    errors = words.controller_errors(verdict.history)
    if not errors:
        return
    yield from ("### Errors of controllers", "")
    yield from (f"- {_text(error)}" for error in errors[:_REASONS])
    if len(errors) > _REASONS:
        yield f"- and {len(errors) - _REASONS} more, in the report"
    yield ""


def _thresholds(verdict: Verdict) -> Iterator[str]:
    if not verdict.thresholds:
        return
    yield from ("### Thresholds", "", "| | threshold | measured |", "|---|---|---|")
    for one in verdict.thresholds:
        result = Result.PASS if one.holds else Result.FAIL if one.holds is False else Result.INCONCLUSIVE
        yield f"| {_SIGNS[result]} | {_text(one.threshold.text)} | {_text(one.seen)} |"
    yield ""


def _balancers(verdict: Verdict) -> Iterator[str]:
    """Yield type and scheme beside each name, if the names do not say the type."""
    shown = [column for column in all_columns(verdict) if column.about]
    if not shown:
        return
    yield from ("### Balancers", "")
    for column in shown:
        yield f"- **{_text(column.heading)}**: {_text(column.about)}"
    yield ""


def _steps(verdict: Verdict) -> Iterator[str]:
    if not verdict.requests.total:
        return
    shown = table_columns(verdict)
    headings = "".join(f" {_text(column.heading)} | p99 |" for column in shown)
    yield from ("### Steps", "", f"| | step |{headings} lost |", f"|--:|---|{'--:|' * (2 * len(shown) + 1)}")
    for phase in verdict.tally.phases:
        cells = []
        for column in shown:
            share = phase.by_balancer[column.name]
            cells += [f"{share.outcomes.total:,}", words.latency(share.latency.p99)]
        number, title = (str(phase.step.number), phase.step.title) if phase.step else ("", "before the first")
        row = (number, _text(title), *cells, f"{phase.all.outcomes.lost:,}")
        yield f"| {' | '.join(row)} |"
    yield ""


def _moves(verdict: Verdict) -> Iterator[str]:
    moved, times = verdict.movements, Times(verdict.history)
    if not moved.moves and not moved.successions:
        return
    yield from ("### Moves", "")
    rows: list[tuple[float | None, str]] = []
    for move in moved.moves:
        gap = (
            ""
            if move.gap is None
            else f", first request {words.duration(move.gap * times.speed)} after the action"
        )
        rows.append((move.time, f"{_text(move.title)}: alias to {_text(title(move.to))}{gap}"))
    rows += [(moment.time, _text(moment.text)) for moment in (*moved.successions, *moved.departures)]
    for time, text in sorted(rows, key=lambda row: (row[0] is None, row[0])):
        yield f"- {times.at(time) if time is not None else 'not yet'} {text}"
    yield ""


def _clients(verdict: Verdict) -> Iterator[str]:
    if who := who_calls(verdict):
        yield from ("### Clients", "", _text(who), "")
    rows = client_rows(verdict)
    if not rows:
        return
    headings = ("move", *HEADINGS)
    yield from (f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}")
    for row in rows:
        yield f"| {' | '.join(_text(cell) for cell in (row.move, *row.cells))} |"
    yield ""


def _text(text: str) -> str:
    """Return text on one line that Markdown shows as it is."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return _SPECIAL.sub(r"\\\1", plain)
