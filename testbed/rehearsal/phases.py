"""Counts, rates and latencies of the requests: in all, per step and balancer, and over time.

A request belongs to the step in which it was intended, whenever it was answered. Latency runs from the
intended start, so that a generator that was late, or a queue, cannot hide it; only unary requests that were
answered ok count, because a stream lasts as long as it was asked to.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hdrh.histogram import HdrHistogram

from testbed.rehearsal.ledger import FAILED, OK, OUTCOMES, UNKNOWN, Ledger
from testbed.rehearsal.story import Step, Story, Via, Windows

HIGHEST_LATENCY = 600_000_000
"""Ten minutes in µs; what lasts longer counts as that."""
SIGNIFICANT_DIGITS = 3
LAG_UNIT = 10
"""Start lag is counted in steps of 10 µs, rounded up: finer tells nothing, and costs time."""
BUCKETS = 240
"""Points of the timeline: one for each three pixels of a wide chart."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How requests ended; `total` is their sum."""

    ok: int = 0
    failed: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All requests."""
        return self.ok + self.failed + self.unknown

    @property
    def lost(self) -> int:
        """Those that were not answered ok."""
        return self.failed + self.unknown


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of a distribution in µs; `count` 0 means that there is none."""

    count: int = 0
    p50: int = 0
    p90: int = 0
    p99: int = 0
    p999: int = 0
    max: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """The requests of one slice: outcomes, rate per wall second, latency."""

    outcomes: Outcomes
    rate: float
    latency: Latency


@dataclass(frozen=True, slots=True)
class Loss:
    """How many requests of a step were lost for one cause."""

    step: int
    outcome: str
    cause: str
    count: int


@dataclass(frozen=True, slots=True)
class Phase:
    """What a step saw. `step` is None for requests before the first step.

    `start_lag` is how late requests were sent, µs after the intended time.
    """

    step: Step | None
    all: Share
    by_balancer: Mapping[Via, Share]
    by_protocol: Mapping[tuple[Via, str], Share]
    start_lag: Latency


@dataclass(frozen=True, slots=True)
class Timeline:
    """Equal buckets from `start`, `width` wall seconds each; requests by the time they were intended.

    `ok[via]` counts, `lost` counts, `p50` and `p99` in µs or None where nothing was measured.
    """

    start: float
    width: float
    ok: Mapping[Via, tuple[int, ...]]
    lost: tuple[int, ...]
    p50: tuple[int | None, ...]
    p99: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """All that is counted of a run's requests."""

    all: Share
    by_balancer: Mapping[Via, Share]
    by_protocol: Mapping[tuple[Via, str], Share]
    phases: tuple[Phase, ...]
    losses: tuple[Loss, ...]
    start_lag: Latency
    timeline: Timeline


CellKey = tuple[int, Via, str]
"""Position of the step (0 before the first), balancer, protocol."""


@dataclass(slots=True)
class _Cell:
    """One step, balancer and protocol while it is counted."""

    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    histogram: HdrHistogram = field(
        default_factory=lambda: HdrHistogram(1, HIGHEST_LATENCY, SIGNIFICANT_DIGITS)
    )


def vias(ledger: Ledger, story: Story) -> list[Via]:
    """The kind of balancer of each of the ledger's routes, by the route's number."""
    by_address = story.via_by_address()
    return [
        by_address.get(route.peer, Via.UNKNOWN) if route.peer or route.pod else Via.NONE
        for route in ledger.routes.rows
    ]


def tally(ledger: Ledger, story: Story) -> Tally:
    """Count all requests once."""
    windows = Windows.of(story.steps())
    routes = [
        (via, route.protocol, route.shape == "unary")
        for via, route in zip(vias(ledger, story), ledger.routes.rows, strict=True)
    ]
    cells: dict[CellKey, _Cell] = {}
    lags: dict[int, Counter[int]] = defaultdict(Counter)
    losses: Counter[tuple[int, int, str]] = Counter()
    line = _Line(story)
    columns = (ledger.intended, ledger.sent, ledger.finished, ledger.outcome, ledger.route)
    for row, (intended, sent, finished, outcome, route) in enumerate(zip(*columns, strict=True)):
        index = windows.index(intended)
        via, protocol, is_unary = routes[route]
        cell = cells.get((index, via, protocol))
        if cell is None:
            cell = cells[index, via, protocol] = _Cell()
        cell.counts[outcome] += 1
        lags[index][_micros(sent - intended) // LAG_UNIT] += 1
        if outcome == OK:
            latency = _micros(finished - intended) if is_unary else None
            if latency is not None:
                cell.histogram.record_value(latency)
            line.add(intended, via, latency)
        else:
            losses[index, outcome, ledger.causes[row]] += 1
            line.add_lost(intended)
    seconds = max(ledger.intended) - min(ledger.intended) if len(ledger) else 0.0
    numbers = [0, *(step.number for step in windows.steps)]
    late = {index: _histogram(counts) for index, counts in lags.items()}
    return Tally(
        all=_share(cells.values(), seconds),
        by_balancer=_by_balancer(cells, seconds),
        by_protocol=_by_protocol(cells, seconds),
        phases=tuple(_phases(cells, late, windows.steps, story, ledger)),
        losses=tuple(
            Loss(numbers[index], OUTCOMES[outcome], cause, count)
            for (index, outcome, cause), count in sorted(
                losses.items(), key=lambda item: (item[0][0], -item[1], item[0][2])
            )
        ),
        start_lag=_latency(late.values()),
        timeline=line.done(),
    )


def _histogram(counts: Counter[int]) -> HdrHistogram:
    histogram = HdrHistogram(1, HIGHEST_LATENCY, SIGNIFICANT_DIGITS)
    for units, count in counts.items():
        histogram.record_value((units + 1) * LAG_UNIT, count)
    return histogram


def _phases(
    cells: Mapping[CellKey, _Cell],
    lags: Mapping[int, HdrHistogram],
    found: tuple[Step, ...],
    story: Story,
    ledger: Ledger,
) -> Iterable[Phase]:
    steps: list[Step | None] = [None, *found]
    first, last = (min(ledger.intended), max(ledger.intended)) if len(ledger) else (0.0, 0.0)
    for index, step in enumerate(steps):
        mine = {key: cell for key, cell in cells.items() if key[0] == index}
        if step is None and not mine:
            continue
        start, end = (first, story.begin) if step is None else (max(step.start, first), min(step.until, last))
        seconds = max(0.0, end - start)
        yield Phase(
            step,
            _share(mine.values(), seconds),
            _by_balancer(mine, seconds),
            _by_protocol(mine, seconds),
            _latency([lags[index]] if index in lags else []),
        )


def _by_balancer(cells: Mapping[CellKey, _Cell], seconds: float) -> dict[Via, Share]:
    found = {}
    for via in Via:
        mine = [cell for key, cell in cells.items() if key[1] is via]
        if mine or via in (Via.NLB, Via.ALB):
            found[via] = _share(mine, seconds)
    return found


def _by_protocol(cells: Mapping[CellKey, _Cell], seconds: float) -> dict[tuple[Via, str], Share]:
    pairs = sorted({(via, protocol) for _, via, protocol in cells})
    return {pair: _share([cell for key, cell in cells.items() if key[1:] == pair], seconds) for pair in pairs}


def _share(cells: Iterable[_Cell], seconds: float) -> Share:
    found = list(cells)
    outcomes = Outcomes(*(sum(cell.counts[code] for cell in found) for code in (OK, FAILED, UNKNOWN)))
    rate = outcomes.total / seconds if seconds > 0 else 0.0
    return Share(outcomes, rate, _latency(cell.histogram for cell in found))


def _latency(histograms: Iterable[HdrHistogram]) -> Latency:
    merged: HdrHistogram | None = None
    for one in histograms:
        if one.get_total_count() == 0:
            continue
        if merged is None:
            merged = HdrHistogram(1, HIGHEST_LATENCY, SIGNIFICANT_DIGITS)
        merged.add(one)
    if merged is None:
        return Latency()
    points = merged.get_percentile_to_value_dict([50, 90, 99, 99.9])
    return Latency(
        merged.get_total_count(), points[50], points[90], points[99], points[99.9], merged.get_max_value()
    )


def _micros(seconds: float) -> int:
    return min(HIGHEST_LATENCY, max(1, round(seconds * 1e6)))


class _Line:
    """The timeline while it is counted."""

    def __init__(self, story: Story) -> None:
        self._start = story.begin
        self._width = max(story.end - story.begin, 1e-6) / BUCKETS
        self._ok: dict[Via, list[int]] = {via: [0] * BUCKETS for via in Via}
        self._lost = [0] * BUCKETS
        self._latencies: list[array[int]] = [array("L") for _ in range(BUCKETS)]

    def _bucket(self, time: float) -> int:
        return min(BUCKETS - 1, max(0, int((time - self._start) / self._width)))

    def add(self, time: float, via: Via, latency: int | None) -> None:
        """Count a request that was answered ok."""
        bucket = self._bucket(time)
        self._ok[via][bucket] += 1
        if latency is not None:
            self._latencies[bucket].append(latency)

    def add_lost(self, time: float) -> None:
        """Count a request that failed or ended unknown."""
        self._lost[self._bucket(time)] += 1

    def done(self) -> Timeline:
        """The counted timeline."""
        ranked = [sorted(values) for values in self._latencies]
        return Timeline(
            self._start,
            self._width,
            {via: tuple(counts) for via, counts in self._ok.items()},
            tuple(self._lost),
            tuple(_rank(values, 0.5) for values in ranked),
            tuple(_rank(values, 0.99) for values in ranked),
        )


def _rank(ranked: list[int], share: float) -> int | None:
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))] if ranked else None
