"""This build beside another one: each figure of both measured in turns, and their ratio.

Wall times of one machine say little about another, and its hours differ, too. So the builds take turns,
A B A B, and each ratio has its spread: the smallest and the largest of the single pairs.
"""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from testbed.bench import cpu_by_part
from testbed.bench.builds import THIS, Build
from testbed.bench.command_runs import Played, play
from testbed.bench.held_rate import Search
from testbed.bench.pinned_story import pinned
from testbed.bench.table import Row
from testbed.errors import Missing, TestbedError
from testbed.settings import DEFAULT_RATE

ROUNDS = 5
STORY_ROUNDS = 2
START_RATIO, SYNC_RATIO, CONTROL_RATIO, CPU_RATIO, LOAD_RATIO = 0.5, 0.5, 0.5, 0.4, 2.5
HOSTS = 10_000
_STORY, _START = "scenarios/zozomat", "testbed/bench/scenarios/start.py"

_SYNC = """
import sys, time
time.perf_counter = time.process_time  # CPU: others may use the machine, too
try:
    from testbed.bench.sync_planning import taken_by_sync
except ImportError:
    from testbed.external_dns.bench import taken_by_sync
print(taken_by_sync(int(sys.argv[1])).planned)
"""
"""The planning of a sync moved between revisions; both answer in CPU seconds."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Figures of this build and of the other, measured in turns."""

    this: tuple[float, ...]
    other: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of this build beside the median of the other."""
        return statistics.median(self.this) / statistics.median(self.other)

    def row(
        self, what: str, unit: str, *, at_most: float | None = None, at_least: float | None = None
    ) -> Row:
        """Return the line of the table, judged by one of the two bounds."""
        each = [mine / theirs for mine, theirs in zip(self.this, self.other, strict=True)]
        spread = f"{min(each):.2f} to {max(each):.2f}" if len(each) > 1 else "one pair"
        mine, theirs = (f"{statistics.median(one):.3g}" for one in (self.this, self.other))
        words = f"{self.ratio:.2f} ({spread}; {mine} and {theirs} {unit})"
        if at_least is not None:
            return Row(what, words, f"≥ {at_least:g}", self.ratio >= at_least)
        return Row(what, words, f"≤ {at_most:g}", at_most is not None and self.ratio <= at_most)


def in_turns(measure: Callable[[Build], float], other: Build, rounds: int) -> Pairs:
    """Measure both builds in turns.

    Raises:
        Missing: a measurement failed.
    """
    pairs = [(measure(THIS), measure(other)) for _ in range(rounds)]
    return Pairs(*zip(*pairs, strict=True))


def rows(other: Build) -> Iterator[Row]:
    """Yield each row once it is measured; one that cannot be measured becomes a row with its reason."""
    for what, measured in (
        ("start", start_rows),
        ("sync", sync_rows),
        ("story", story_rows),
        ("load", load_rows),
    ):
        try:
            yield from measured(other)
        except (TestbedError, OSError) as error:
            yield Row(what, f"could not be measured: {error}", "", None)


def start_rows(other: Build) -> Iterator[Row]:
    """Compare the time from the command to the first request."""

    def first_request(build: Build) -> float:
        first = play(str(build.root / _START), DEFAULT_RATE, build).first_request
        if first is None:
            raise Missing(f"{build.name}: no request was answered")
        return first

    pairs = in_turns(first_request, other, ROUNDS)
    yield pairs.row("from the command to the first request", "s", at_most=START_RATIO)

    def cpu(build: Build) -> float:
        return play(str(build.root / _START), DEFAULT_RATE, build).cpu_of_start

    yield in_turns(cpu, other, ROUNDS).row(
        "CPU of all processes until the first request", "s", at_most=START_RATIO
    )


def sync_rows(other: Build) -> Iterator[Row]:
    """Compare the planning of a sync over many hosts."""
    pairs = in_turns(_planned, other, ROUNDS)
    yield pairs.row(f"a sync of ExternalDNS over {HOSTS:,} hosts", "s", at_most=SYNC_RATIO)


def _planned(build: Build) -> float:
    command = [str(build.python), "-c", _SYNC, str(HOSTS)]
    done = subprocess.run(
        command, cwd=build.root, env=build.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Missing(f"{build.name}: {done.stderr.strip()[-300:]}")
    return float(done.stdout)


def story_rows(other: Build) -> Iterator[Row]:
    """Compare the CPU of the story at the default rate: per request of the load, and of the control plane.

    Both play the other build's story with the same clients.
    """
    with pinned(other.root / _STORY) as story:
        runs = [(play(story, DEFAULT_RATE), play(story, DEFAULT_RATE, other)) for _ in range(STORY_ROUNDS)]

    def pairs(figure: Callable[[Played], float]) -> Pairs:
        return Pairs(*zip(*((figure(this), figure(that)) for this, that in runs), strict=True))

    load = pairs(lambda run: _load(run.cpu) / run.figures.requests * 1000)
    yield load.row("CPU of clients and backends", "ms a request", at_most=CPU_RATIO)
    control = pairs(lambda run: run.cpu[cpu_by_part.PARENT] + run.cpu[cpu_by_part.MOTO])
    yield control.row("CPU of the control plane and moto over the story", "s", at_most=CONTROL_RATIO)


def _load(cpu: Mapping[str, float]) -> float:
    return cpu[cpu_by_part.CLIENTS] + cpu[cpu_by_part.BACKENDS]


def load_rows(other: Build) -> Iterator[Row]:
    """Compare the highest rates at which the whole story loses nothing and starts no request late."""
    searches = {build: Search() for build in (THIS, other)}
    with pinned(other.root / _STORY) as story:
        while any(search.next_rate for search in searches.values()):
            for build, search in searches.items():
                if rate := search.next_rate:
                    seen = play(story, rate, build).figures
                    searches[build] = search.after(rate, is_held=seen.is_held)
    this, that = (search.held for search in searches.values())
    what = "highest rate that the whole story holds"
    if not that:
        yield Row(what, f"{this:g} req/s; {other.name} held none", f"≥ {LOAD_RATIO:g}", None)
    else:
        yield Pairs((this,), (that,)).row(what, "req/s", at_least=LOAD_RATIO)
