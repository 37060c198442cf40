"""The story at the terminal while it is played.

A terminal shows one picture that changes; a file or a pipe gets a line for each event. Text that comes from
the run is printed without markup and control characters.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from testbed import journal
from testbed.balancer_identity import plain_dns_name, title
from testbed.clock import Clock
from testbed.errors import TestbedError
from testbed.printing import plain
from testbed.report import words
from testbed.report.balancer_columns import FEW, columns
from testbed.report.console import Terminal
from testbed.report.terminal import Signs
from testbed.traffic.counts import Counts
from testbed.verdict.balancers import Balancers
from testbed.verdict.controller_errors import sentence

REFRESH = 8.0
"""Pictures per second. The rate on display covers the last `WINDOW` pictures."""
WINDOW = 8
NOTES = 4
"""Lines below the current step."""
BAR = 40
LONGEST_NAME = 26
"""Columns of a balancer's name; of a longer one, the end is left out."""


@dataclass(slots=True)
class _StepLine:
    number: int
    title: str
    start: float
    end: float | None = None
    outcome: str = ""
    notes: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=NOTES))


class Progress:
    """Shows a run while it is played. Pass `hear` to the journal as its listener.

    ```python
    with Progress(Terminal(stderr=True), clock, topology.counts) as progress:
        journal.listener = progress.hear
    ```

    Args:
        by_line: whether each event gets a line; by default where the console is no terminal.
    """

    def __init__(
        self, console: Terminal, clock: Clock, counts: Callable[[], Counts], *, by_line: bool | None = None
    ) -> None:
        self._console = console
        self._by_line = not console.is_terminal if by_line is None else by_line
        self._clock = clock
        self._counts = counts
        self._signs = Signs.of(console)
        self._lock = threading.Lock()
        self._begin = clock.wall()
        self._title = Text()
        self._steps: list[_StepLine] = []
        self._seen: dict[str, journal.Balancer] = {}
        self._given: list[journal.BalancerNamed] = []
        self._balancers = Balancers.of((), ())
        self._host = ""
        self._targets: dict[str, str] = {}
        """Plain names of the balancers that the host's A alias points to, by the record's set identifier."""
        self._samples: deque[tuple[float, Mapping[str, int]]] = deque(maxlen=WINDOW)
        self._last = Counts()
        self._said: set[str] = set()
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        if not self._by_line:
            self._live = Live(console=self._console, get_renderable=self._picture, refresh_per_second=REFRESH)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    @property
    def alias(self) -> Sequence[str]:
        """The names of the balancers that the host's alias points to: several if it is weighted."""
        return tuple(dict.fromkeys(map(self._balancers.name_of, self._targets.values())))

    @property
    def balancers(self) -> Sequence[str]:
        """The names of the balancers so far."""
        return tuple(self._balancers.by_name)

    def hear(self, event: journal.Event) -> None:
        """Show an event; any thread may call this."""
        with self._lock:
            lines = self._take(event)
            if self._by_line:
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
                self._seen.setdefault(plain_dns_name(event.dns_name), event)
                self._balancers = Balancers.of(self._seen.values(), self._given)
                return []
            case journal.BalancerNamed():
                self._given.append(event)
                self._balancers = Balancers.of(self._seen.values(), self._given)
                return []
            case journal.DnsChange():
                return self._alias_moved(event)
            case journal.ControllerEvent() | journal.Log() if text := sentence(event):
                if text in self._said:  # controllers try again and again
                    return []
                self._said.add(text)
                return self._note("!", text)
            case journal.Log() if event.is_part_error:
                return self._note(signs.no, f"{event.component}: {event.message}: {event.line}")
            case journal.LeftOut():
                return self._note(signs.act, f"{event.owner}: {event.text}")
            case journal.RunFinished() if event.reason != "complete":
                return [f"{event.reason}: {event.detail}" if event.detail else event.reason]
            case _:
                return []

    def _head(self, run: journal.Run) -> str:
        self._host = run.host
        about = (
            f"{run.host}, {run.rate:g} requests/s, {words.external_dns(run)}, "
            f"{self._clock.speed:g}x speed, {run.network}"
        )
        self._title = Text.assemble((plain(run.title), "bold"), "\n", (plain(about), "dim"))
        return f"{run.title} ({about})"

    def _finish(self, event: journal.StepFinished) -> list[str]:
        for step in self._steps:
            if step.number == event.number and step.end is None:
                step.end, step.outcome = event.time, event.outcome
        counts = self._look()
        served = self._served(counts)
        through = ", ".join(
            f"{title(name)} {count:,}" for name, count in served.items() if count or len(served) <= FEW
        )
        return [
            f"step {event.number} {event.outcome}: {counts.ok:,} ok, {counts.failed:,} failed, "
            f"{counts.unknown:,} unknown so far" + (f" ({through})" if through else "")
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
            if record.get("Type") not in ("A", "AAAA") or not alias:
                continue
            is_ipv4 = record["Type"] == "A"
            name = plain_dns_name(str(alias.get("DNSName", "")))
            target = title(self._balancers.name_of(name))
            gone = change.get("Action") == "DELETE"
            host = str(record.get("Name", "")).rstrip(".")
            if is_ipv4 and self._host in ("", host):
                key = str(record.get("SetIdentifier", ""))
                self._targets.pop(key, None)
                if not gone and record.get("Weight") != 0:
                    self._targets[key] = name
            host = host if is_ipv4 else f"{host} AAAA"
            if "Weight" in record:
                weight = "record deleted" if gone else f"weight {record['Weight']}"
                lines += self._note(self._signs.act, f"{host} {self._signs.to} {target}: {weight}")
                continue
            where = "has no address now" if gone else f"{self._signs.to} {target}"
            lines += self._note(self._signs.act, f"{host} {where}")
        return lines

    def _say(self, time: float, line: str) -> None:
        at = words.clock_time((time - self._begin) * self._clock.speed)
        text = Text(f"{at:>8}  {plain(line)}")
        # Without soft_wrap, rich would cut or fold lines at 80 columns in a pipe, where no one sees columns.
        self._console.print(text, soft_wrap=True)

    def _look(self) -> Counts:
        """Return the newest counts, or the last known ones if the generator died, which the run reports."""
        with contextlib.suppress(TestbedError):
            self._last = self._counts()
        return self._last

    def _served(self, counts: Counts) -> Mapping[str, int]:
        """Return how many requests each balancer served so far."""
        by_name = self._balancers.by_name
        return {name: counts.served_by(balancer.dns_name or name) for name, balancer in by_name.items()}

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
        self._samples.append((self._clock.wall(), self._served(counts)))
        (then, before), (now, served) = self._samples[0], self._samples[-1]
        seconds = max(now - then, 1 / REFRESH)
        rates = {name: (count - before.get(name, 0)) / seconds for name, count in served.items()}
        highest = max(*rates.values(), 1.0)
        targets = self.alias
        shown = columns(self._balancers, [name for name, count in served.items() if count])
        if len(shown) > FEW:
            busy = [column for column in shown if served[column.name] or column.name in targets]
            shown = tuple(busy) or shown[:FEW]
        width = min(LONGEST_NAME, max(5, *(len(column.heading) for column in shown)))
        table = Table.grid(padding=(0, 1))
        table.add_column(width=width, justify="right", no_wrap=True, overflow="ellipsis")
        table.add_column(width=min(BAR, max(10, self._console.width - BAR - width + 5)))
        table.add_column(justify="right", width=12)
        table.add_column()
        for column in shown:
            bar = self._signs.bar * round((table.columns[1].width or 0) * rates[column.name] / highest)
            here = Text(f"{self._signs.now} alias", column.colour) if column.name in targets else Text()
            name, rate = Text(plain(column.heading), "bold"), f"{rates[column.name]:,.0f} req/s"
            table.add_row(name, Text(bar, column.colour), rate, here)
        failed = "red bold" if counts.failed else "dim"
        unknown = "yellow bold" if counts.unknown else "dim"
        line = Text.assemble(
            ("   ok ", "dim"), f"{counts.ok:,}",
            ("   failed ", "dim"), (f"{counts.failed:,}", failed),
            ("   unknown ", "dim"), (f"{counts.unknown:,}", unknown),
        )  # fmt: skip
        return Group(table, line)
