"""`summary.md`: the verdict as Markdown, short enough for the page of a CI run.

What a run says is text: characters that mean something to Markdown or HTML are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from testbed.rehearsal.story import Via
from testbed.rehearsal.verdict import Result, Verdict
from testbed.report import words
from testbed.report.words import Times

_SIGNS = {Result.PASS: "✅", Result.FAIL: "❌", Result.INCONCLUSIVE: "⚠️"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@-])")
_REASONS = 20


def render(verdict: Verdict) -> str:
    """The verdict: result, reasons, thresholds, a row for each step, the moves."""
    return "\n".join(
        [*_head(verdict), *_reasons(verdict), *_thresholds(verdict), *_steps(verdict), *_moves(verdict)]
    )


def _head(verdict: Verdict) -> Iterator[str]:
    run = verdict.story.runs[0] if verdict.story.runs else None
    yield f"## {_SIGNS[verdict.result]} {verdict.result.value}: {_text(run.title if run else 'rehearsal')}"
    yield ""
    yield _text(words.headline(verdict))
    yield ""
    if run:
        about = f"{run.host}, ExternalDNS {run.external_dns}, {run.rate:g} requests per second"
        yield _text(f"{about}, {verdict.story.speed:g} times production speed")
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


def _thresholds(verdict: Verdict) -> Iterator[str]:
    if not verdict.thresholds:
        return
    yield from ("### Thresholds", "", "| | threshold | measured |", "|---|---|---|")
    for one in verdict.thresholds:
        result = Result.PASS if one.holds else Result.FAIL if one.holds is False else Result.INCONCLUSIVE
        yield f"| {_SIGNS[result]} | {_text(one.threshold.text)} | {_text(one.seen)} |"
    yield ""


def _steps(verdict: Verdict) -> Iterator[str]:
    if not verdict.requests.total:
        return
    yield from ("### Steps", "", "| | step | NLB | p99 | ALB | p99 | lost |", "|--:|---|--:|--:|--:|--:|--:|")
    for phase in verdict.tally.phases:
        cells = []
        for via in (Via.NLB, Via.ALB):
            share = phase.by_balancer[via]
            cells += [f"{share.outcomes.total:,}", words.latency(share.latency.p99)]
        number, title = (str(phase.step.number), phase.step.title) if phase.step else ("", "before the first")
        row = (number, _text(title), *cells, f"{phase.all.outcomes.lost:,}")
        yield f"| {' | '.join(row)} |"
    yield ""


def _moves(verdict: Verdict) -> Iterator[str]:
    if not verdict.movements.moves:
        return
    times = Times(verdict.story)
    yield from ("### Moves", "")
    for move in verdict.movements.moves:
        gap = (
            ""
            if move.gap is None
            else f", first request {words.duration(move.gap * times.speed)} after the act"
        )
        yield f"- {times.at(move.time)} {_text(move.title)}: alias to {move.to.upper()}{gap}"
    for moment in verdict.movements.moments[-1:]:
        yield f"- {times.at(moment.time) if moment.time is not None else 'not yet'} {_text(moment.text)}"
    yield ""


def _text(text: str) -> str:
    """Text on one line that Markdown shows as it is."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return _SPECIAL.sub(r"\\\1", plain)
