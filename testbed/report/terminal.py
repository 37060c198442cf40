"""The verdict at the terminal. Text that comes from the run is printed without control characters."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from testbed.balancer_identity import phrase, title
from testbed.printing import plain
from testbed.report import words
from testbed.report.balancer_columns import Column, table_columns
from testbed.report.client_rows import ClientRow, client_rows
from testbed.report.console import Terminal
from testbed.report.words import Times
from testbed.verdict import outage_findings
from testbed.verdict.findings import Finding, Result
from testbed.verdict.moments import Move
from testbed.verdict.phases import Phase
from testbed.verdict.verdict import Verdict

REASONS = 8
WIDEST = 100
"""Columns. In a wider table the eye loses the line."""
LONGEST_HEADING = 9
"""Columns. Balancers with a longer name have a letter at the head of their column, and a line each below."""
NARROWEST_TITLE = 20
"""Columns. With less room than this for the step, the table leaves out the latencies."""
PADDING = 2
"""Columns between two cells."""
WITHOUT_BALANCERS = 14
"""Columns of the step's number and the lost requests, and the padding of these and the title."""
TONES = {Result.PASS: "green", Result.FAIL: "red", Result.INCONCLUSIVE: "yellow"}


@dataclass(frozen=True, slots=True)
class Signs:
    """The symbols, with ASCII in place of those that a terminal cannot show."""

    yes: str = "✓"
    no: str = "✗"
    now: str = "●"
    act: str = "·"
    to: str = "→"
    bar: str = "█"

    @classmethod
    def of(cls, console: Terminal) -> Signs:
        """Return the symbols that the console's encoding can show."""
        return cls("+", "x", "*", "-", "->", "#") if console.options.ascii_only else cls()


def print_verdict(verdict: Verdict, console: Terminal, report: Path | None = None) -> None:
    """Print the verdict: result, reasons, a line for each step and each move, and the path of the report."""
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
    if sight := outage_findings.excluded(verdict.gaps, verdict.history):
        console.print(Padding(Text(plain(sight)), (0, 2)))
        console.print()
    if ipv6 := words.ipv6_clients(verdict.tally):
        console.print(Padding(Text(plain(ipv6)), (0, 2)))
        console.print()
    if forecast := words.forecast(verdict):
        console.print(Padding(Text(plain(forecast)), (0, 2)))
        console.print()
    if sentences := words.left_out(verdict.history):
        for sentence in sentences:
            console.print(Padding(Text(plain(sentence), "yellow"), (0, 2)))
        console.print()
    if errors := words.controller_errors(verdict.history):
        console.print(_controller_errors(errors))
        console.print()
    if verdict.requests.total:
        for part in _phases(verdict, min(WIDEST, console.width)):
            console.print(part)
        console.print()
    if verdict.thresholds:
        console.print(_thresholds(verdict, Signs.of(console)))
        console.print()
    if verdict.movements.moves or verdict.movements.successions:
        console.print(_moves(verdict, Signs.of(console)))
        console.print()
    if rows := client_rows(verdict):
        console.print(_clients(rows))
        console.print()
    if report:
        console.print(Text.assemble(("  report  ", "dim"), plain(str(report))), soft_wrap=True)


def _reasons(findings: Sequence[Finding]) -> Table:
    """Return the reasons after the first, which is in the headline."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column()
    for finding in findings[:REASONS]:
        tone = TONES[finding.reason.result]
        table.add_row("", Text.assemble((f"{finding.reason.title}: ", tone), plain(finding.text)))
    if len(findings) > REASONS:
        table.add_row("", Text(f"and {len(findings) - REASONS} more reasons, in the report", "dim"))
    return table


def _controller_errors(errors: Sequence[str]) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(style="yellow")
    for error in errors[:REASONS]:
        table.add_row("", plain(error))
    if len(errors) > REASONS:
        table.add_row("", f"and {len(errors) - REASONS} more errors of controllers, in the report")
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
    times = Times(verdict.history)
    moved = verdict.movements
    rows: list[tuple[float | None, str]] = [(move.time, _move(move, times, signs)) for move in moved.moves]
    rows += [(moment.time, plain(moment.text)) for moment in (*moved.successions, *moved.departures)]
    for time, text in sorted(rows, key=lambda row: (row[0] is None, row[0])):
        table.add_row(times.at(time) if time is not None else "", text)
    return table


def _clients(rows: Sequence[ClientRow]) -> Table:
    """Return how each client model left, move by move; when it looks the name up is in the report."""
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for heading in ("client", "connections", "last one", "how they ended"):
        table.add_column(heading, justify="right" if heading == "connections" else "left")
    table.columns[0].no_wrap = table.columns[2].no_wrap = True
    before = ""
    for row in rows:
        model, _, origin, connections, last, ended = row.cells
        if row.move != before:
            table.add_row(Text(plain(f"{row.move}, from {origin}"), "dim"))
            before = row.move
        style = "red" if row.stays else ""
        table.add_row(*(Text(plain(cell), style) for cell in (model, connections, last, ended)))
    return table


def _phases(verdict: Verdict, width: int) -> Iterator[Table]:
    """Yield the table of the steps, and the balancers with type and scheme if their names do not say it."""
    shown = table_columns(verdict)
    are_long = any(len(column.heading) > LONGEST_HEADING for column in shown)
    shown = shown[: len(string.ascii_uppercase)]
    letters = list(string.ascii_uppercase[: len(shown)]) if are_long else []
    heads = letters or [plain(column.heading) for column in shown]
    rows = [[_cells(phase, column) for column in shown] for phase in verdict.tally.phases]
    widths = [_widest(head, (row[at][0] for row in rows)) for at, head in enumerate(heads)]
    room = width - WITHOUT_BALANCERS - NARROWEST_TITLE
    latencies = sum(_widest("p99", (row[at][1] for row in rows)) for at in range(len(heads)))
    with_latency = room >= sum(widths) + latencies
    fitting = len([total for total in itertools.accumulate(widths) if total <= room]) or 1
    shown, heads, rows = shown[:fitting], heads[:fitting], [row[:fitting] for row in rows]
    table = Table(box=None, width=width, padding=(0, 1), header_style="dim")
    table.add_column("", width=2, justify="right")
    table.add_column("step", ratio=1, no_wrap=True, overflow="ellipsis")
    for head in heads:
        for name in (head, "p99")[: 1 + with_latency]:
            table.add_column(name, justify="right", no_wrap=True)
    table.add_column("lost", justify="right", no_wrap=True)
    for phase, row in zip(verdict.tally.phases, rows, strict=True):
        lost = phase.all.outcomes.lost
        number, step = (str(phase.step.number), phase.step.title) if phase.step else ("", "before the first")
        cells = [cell for pair in row for cell in pair[: 1 + with_latency]]
        table.add_row(number, plain(step), *cells, Text(f"{lost:,}", "red bold" if lost else "dim"))
    yield table
    if any(column.about for column in shown):
        yield _legend(letters, shown, len(verdict.history.named_balancers().by_name) - len(shown))


def _cells(phase: Phase, column: Column) -> tuple[Text, Text]:
    share = phase.by_balancer[column.name]
    style = column.colour if share.outcomes.total else "dim"
    return Text(f"{share.outcomes.total:,}", style), Text(words.latency(share.latency.p99), "dim")


def _widest(head: str, cells: Iterable[Text]) -> int:
    return PADDING + max(len(head), *map(len, cells))


def _legend(letters: Sequence[str], shown: Sequence[Column], others: int) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=3, justify="right")
    table.add_column(overflow="fold")
    table.add_column(style="dim")
    for index, column in enumerate(shown):
        letter = Text(letters[index] if letters else "", column.colour)
        table.add_row(letter, Text(plain(column.heading), column.colour), column.about)
    if others:
        table.add_row("", Text(f"and {words.count(others, 'more balancer')}, in the report", "dim"), "")
    return table


def _move(move: Move, times: Times, signs: Signs) -> str:
    parts = [f"{move.title}: alias {signs.to} {plain(title(move.to))}"]
    if move.gap is not None:
        parts.append(f"first request {words.duration(move.gap * times.speed)} after the action")
    for drain in move.drains:
        if drain.protocol != "grpc":
            continue
        if drain.empty_at is not None:
            took = words.duration((drain.empty_at - move.time) * times.speed)
            parts.append(f"gRPC left {plain(phrase(move.origin))} within {took}")
        else:
            stayed = words.count(drain.left, f"gRPC {drain.counts.removesuffix('s')}")
            parts.append(f"{stayed} stayed on {plain(phrase(move.origin))}")
    return "; ".join(parts)
