"""What a person at the terminal sees: the story while it is played, and the verdict at its end.

A terminal shows one picture that changes; a file or a pipe gets a line for each thing that happens. What
comes from the run is printed as text: no markup, no control characters.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from testbed import journal
from testbed.clock import Clock
from testbed.errors import TestbedError
from testbed.rehearsal.moments import Move
from testbed.rehearsal.phases import Phase
from testbed.rehearsal.story import Via
from testbed.rehearsal.verdict import Finding, Result, Verdict
from testbed.report import words
from testbed.report.words import Times

REFRESH = 8.0
"""Pictures per second; the rate shown is that of the last `WINDOW` of them."""
WINDOW = 8
NOTES = 4
"""Lines below the running step."""
REASONS = 8
BAR = 40
WIDEST = 100
"""Columns; a table that is wider is harder to read across."""
COLOURS = {"nlb": "dark_orange", "alb": "dodger_blue1"}
TONES = {Result.PASS: "green", Result.FAIL: "red", Result.INCONCLUSIVE: "yellow"}


class Counted(Protocol):
    """What the clients saw so far; `testbed.rehearsal.topology.Counts` is one."""

    @property
    def ok(self) -> int:
        """Requests answered ok."""

    @property
    def failed(self) -> int:
        """Requests that failed."""

    @property
    def unknown(self) -> int:
        """Requests without an answer."""

    def served_by(self, balancer: str) -> int:
        """Requests that were answered through `nlb` or `alb`."""


@dataclass(frozen=True, slots=True)
class NoneYet:
    """The counts before there were any."""

    ok: int = 0
    failed: int = 0
    unknown: int = 0

    def served_by(self, balancer: str) -> int:  # noqa: ARG002 the same for both
        """No request."""
        return 0


@dataclass(frozen=True, slots=True)
class Signs:
    """The symbols, for terminals that have them and those that do not."""

    yes: str = "✓"
    no: str = "✗"
    now: str = "●"
    act: str = "·"
    to: str = "→"
    bar: str = "█"

    @classmethod
    def of(cls, console: Console) -> Signs:
        """Those that the console's encoding can show."""
        return cls("+", "x", "*", "-", "->", "#") if console.options.ascii_only else cls()


@dataclass(slots=True)
class _StepLine:
    number: int
    title: str
    start: float
    end: float | None = None
    outcome: str = ""
    notes: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=NOTES))


class Progress:
    """Shows a run while it is played. Give `hear` to the journal as its listener.

    ```python
    with Progress(Console(stderr=True), clock, topology.counts) as progress:
        journal.listener = progress.hear
    ```
    """

    def __init__(self, console: Console, clock: Clock, counts: Callable[[], Counted]) -> None:
        self._console = console
        self._clock = clock
        self._counts = counts
        self._signs = Signs.of(console)
        self._lock = threading.Lock()
        self._begin = clock.wall()
        self._title = Text()
        self._steps: list[_StepLine] = []
        self._names: dict[str, str] = {}
        self._alias = ""
        self._samples: deque[tuple[float, int, int]] = deque(maxlen=WINDOW)
        self._last: Counted = NoneYet()
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live = Live(console=self._console, get_renderable=self._picture, refresh_per_second=REFRESH)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def hear(self, event: journal.Event) -> None:
        """Take in what happened; may be called from any thread."""
        with self._lock:
            lines = self._take(event)
            if not self._console.is_terminal:
                for line in lines:
                    self._say(event.time, line)

    def _take(self, event: journal.Event) -> Sequence[str]:
        signs = self._signs
        match event:
            case journal.Run():
                self._begin = min(self._begin, event.time)
                return [self._head(event)]
            case journal.StepStarted():
                self._steps.append(_StepLine(event.number, plain(event.title), event.time))
                return [f"step {event.number}: {event.title}"]
            case journal.StepFinished():
                return self._finish(event)
            case journal.Action():
                return self._note(signs.act, event.text)
            case journal.Expectation():
                detail = f" ({event.detail})" if event.detail and not event.passed else ""
                return self._note(signs.yes if event.passed else signs.no, event.text + detail)
            case journal.Balancer():
                self._names[event.dns_name.lower().rstrip(".")] = event.type
                return []
            case journal.DnsChange():
                return self._alias_moved(event)
            case journal.RunFinished() if event.reason != "complete":
                return [f"{event.reason}: {event.detail}" if event.detail else event.reason]
            case _:
                return []

    def _head(self, run: journal.Run) -> str:
        about = (
            f"{run.host}, {run.rate:g} requests/s, ExternalDNS {run.external_dns}, "
            f"{self._clock.speed:g}x speed, {run.network}"
        )
        self._title = Text.assemble((plain(run.title), "bold"), "\n", (plain(about), "dim"))
        return f"{run.title} ({about})"

    def _finish(self, event: journal.StepFinished) -> list[str]:
        for step in self._steps:
            if step.number == event.number and step.end is None:
                step.end, step.outcome = event.time, event.outcome
        counts = self._look()
        through = f"NLB {counts.served_by('nlb'):,}, ALB {counts.served_by('alb'):,}"
        return [
            f"step {event.number} {event.outcome}: {counts.ok:,} ok, {counts.failed:,} failed, "
            f"{counts.unknown:,} unknown so far ({through})"
        ]

    def _note(self, sign: str, text: str) -> list[str]:
        if self._steps:
            self._steps[-1].notes.append((sign, plain(text)))
        return [f"  {sign} {text}"]

    def _alias_moved(self, event: journal.DnsChange) -> list[str]:
        if event.refused:
            return self._note(self._signs.no, f"Route 53 refused a change: {event.refused}")
        lines: list[str] = []
        for change in event.changes:
            record = change.get("ResourceRecordSet") or {}
            alias = record.get("AliasTarget") or {}
            if record.get("Type") != "A" or not alias:
                continue
            name = str(alias.get("DNSName", "")).lower().rstrip(".").removeprefix("dualstack.")
            target = self._names.get(name, name)
            gone = change.get("Action") == "DELETE"
            if "Weight" in record:
                weight = "no record any more" if gone else f"weight {record['Weight']}"
                host = str(record.get("Name", "")).rstrip(".")
                lines += self._note(self._signs.act, f"{host} {self._signs.to} {target.upper()}: {weight}")
                continue
            self._alias = "" if gone else target
            where = "has no address any more" if gone else f"{self._signs.to} {target.upper()}"
            lines += self._note(self._signs.act, f"{str(record.get('Name', '')).rstrip('.')} {where}")
        return lines

    def _say(self, time: float, line: str) -> None:
        at = words.clock_time((time - self._begin) * self._clock.speed)
        text = Text(f"{at:>8}  {plain(line)}")
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _look(self) -> Counted:
        """The newest counts, or the last that there were: the run itself reports a generator that died."""
        with contextlib.suppress(TestbedError):
            self._last = self._counts()
        return self._last

    # --- the picture -------------------------------------------------------------------------------

    def _picture(self) -> RenderableType:
        with self._lock:
            return Group(self._title, Text(), self._story(), Text(), self._traffic())

    def _story(self) -> Table:
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(width=2)
        table.add_column(justify="right", width=2)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column(justify="right", width=8)
        now = self._clock.wall()
        for step in self._steps:
            sign, style = self._signs.now, "bold cyan"
            if step.end is not None:
                passed = step.outcome == "passed"
                sign, style = (self._signs.yes, "green") if passed else (self._signs.no, "red")
            took = ((step.end or now) - step.start) * self._clock.speed
            title = Text(step.title, "bold" if step.end is None else "")
            table.add_row(
                Text(f" {sign}", style),
                Text(str(step.number), "dim"),
                title,
                Text(words.clock_time(took), "dim"),
            )
            if step.end is None or step.outcome != "passed":
                for mark, note in step.notes:
                    colour = {self._signs.yes: "green", self._signs.no: "red"}.get(mark, "dim")
                    table.add_row("", "", Text.assemble((f"{mark} ", colour), (note, "dim")), "")
        return table

    def _traffic(self) -> RenderableType:
        counts = self._look()
        sample = (self._clock.wall(), counts.served_by("nlb"), counts.served_by("alb"))
        self._samples.append(sample)
        first = self._samples[0]
        seconds = max(sample[0] - first[0], 1 / REFRESH)
        rates = {"nlb": (sample[1] - first[1]) / seconds, "alb": (sample[2] - first[2]) / seconds}
        highest = max(*rates.values(), 1.0)
        table = Table.grid(padding=(0, 1))
        table.add_column(width=5, justify="right")
        table.add_column(width=min(BAR, max(10, self._console.width - BAR)))
        table.add_column(justify="right", width=12)
        table.add_column()
        for name, rate in rates.items():
            bar = self._signs.bar * round((table.columns[1].width or 0) * rate / highest)
            here = Text(f"{self._signs.now} alias", COLOURS[name]) if self._alias == name else Text()
            table.add_row(Text(name.upper(), "bold"), Text(bar, COLOURS[name]), f"{rate:,.0f} req/s", here)
        failed = "red bold" if counts.failed else "dim"
        unknown = "yellow bold" if counts.unknown else "dim"
        line = Text.assemble(
            ("   ok ", "dim"), f"{counts.ok:,}",
            ("   failed ", "dim"), (f"{counts.failed:,}", failed),
            ("   unknown ", "dim"), (f"{counts.unknown:,}", unknown),
        )  # fmt: skip
        return Group(table, line)


def print_verdict(verdict: Verdict, console: Console, report: Path | None = None) -> None:
    """Print the verdict: result, reasons, a line for each step and each move, and where the report is."""
    tone = TONES[verdict.result]
    console.print()
    console.print(
        Panel(
            Text(plain(words.headline(verdict))),
            title=Text(f" {verdict.result.value.upper()} ", f"bold {tone} reverse"),
            title_align="left",
            border_style=tone,
            padding=(0, 1),
        )
    )
    if rest := verdict.findings[1:]:
        console.print(_reasons(rest))
        console.print()
    if verdict.requests.total:
        console.print(_phases(verdict.tally.phases, min(WIDEST, console.width)))
        console.print()
    if verdict.thresholds:
        console.print(_thresholds(verdict, Signs.of(console)))
        console.print()
    if verdict.movements.moves:
        console.print(_moves(verdict, Signs.of(console)))
        console.print()
    if report:
        console.print(Text.assemble(("  report  ", "dim"), plain(str(report))), soft_wrap=True)


def _reasons(findings: Sequence[Finding]) -> Table:
    """The reasons after the first, which the headline tells."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column()
    for finding in findings[:REASONS]:
        tone = TONES[finding.reason.result]
        table.add_row("", Text.assemble((f"{finding.reason.title}: ", tone), plain(finding.text)))
    if len(findings) > REASONS:
        table.add_row("", Text(f"and {len(findings) - REASONS} more reasons, in the report", "dim"))
    return table


def _thresholds(verdict: Verdict, signs: Signs) -> Table:
    table = Table.grid(padding=(0, 1))
    for width in (2, None, None):
        table.add_column(width=width)
    for one in verdict.thresholds:
        sign, tone = (
            (signs.yes, "green") if one.holds else (signs.no, "red" if one.holds is False else "yellow")
        )
        table.add_row(Text(f" {sign}", tone), plain(one.threshold.text), Text(plain(one.seen), "dim"))
    return table


def _moves(verdict: Verdict, signs: Signs) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", width=9, style="dim")
    table.add_column()
    times = Times(verdict.story)
    for move in verdict.movements.moves:
        table.add_row(times.at(move.time), _move(move, times, signs))
    last = verdict.movements.moments[-1]
    table.add_row(times.at(last.time) if last.time is not None else "", plain(last.text))
    return table


def _phases(phases: Sequence[Phase], width: int) -> Table:
    table = Table(box=None, width=width, padding=(0, 1), header_style="dim")
    table.add_column("", width=2, justify="right")
    table.add_column("step", ratio=1, no_wrap=True, overflow="ellipsis")
    for name in ("NLB", "p99", "ALB", "p99", "lost"):
        table.add_column(name, justify="right", no_wrap=True)
    for phase in phases:
        cells = []
        for via in (Via.NLB, Via.ALB):
            share = phase.by_balancer[via]
            style = COLOURS[via.value] if share.outcomes.total else "dim"
            cells += [
                Text(f"{share.outcomes.total:,}", style),
                Text(words.latency(share.latency.p99), "dim"),
            ]
        lost = phase.all.outcomes.lost
        number, title = (str(phase.step.number), phase.step.title) if phase.step else ("", "before the first")
        table.add_row(number, plain(title), *cells, Text(f"{lost:,}", "red bold" if lost else "dim"))
    return table


def _move(move: Move, times: Times, signs: Signs) -> str:
    parts = [f"{move.title}: alias {signs.to} {move.to.upper()}"]
    if move.gap is not None:
        parts.append(f"first request {words.duration(move.gap * times.speed)} after the act")
    for drain in move.drains:
        if drain.protocol != "grpc":
            continue
        if drain.empty_at is not None:
            took = words.duration((drain.empty_at - move.time) * times.speed)
            parts.append(f"gRPC left the {move.origin.upper()} within {took}")
        else:
            parts.append(f"{drain.left} gRPC {drain.counts} stayed on the {move.origin.upper()}")
    return "; ".join(parts)


def plain(text: str) -> str:
    """The text on one line, with nothing in it that a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)
