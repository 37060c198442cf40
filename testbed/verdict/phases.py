"""Counts, rates and latencies of the requests: in total, per step and balancer, and over time.

A request belongs to the step in which it was due, whenever it was answered. Latency runs from the intended
start, so that a late generator or a queue cannot hide it. Only unary requests that were answered ok count,
because a stream lasts as long as its client wants.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hdrh.histogram import HdrHistogram

from testbed.balancer_identity import NONE, UNKNOWN
from testbed.verdict import reconciliation
from testbed.verdict.history import History, Step, StepWindows
from testbed.verdict.reconciliation import FAILED, OK, OUTCOMES, Ledger

HIGHEST_LATENCY = 600_000_000
"""Ten minutes in µs; longer latencies count as that."""
SIGNIFICANT_DIGITS = 3
LAG_UNIT = 10
"""Start lag is counted in steps of 10 µs, rounded up: finer steps say nothing more, and cost time."""
BUCKETS = 240
"""Points of the timeline: one per three pixels of a wide chart."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Numbers of requests by outcome; `total` is their sum."""

    ok: int = 0
    failed: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All requests."""
        return self.ok + self.failed + self.unknown

    @property
    def lost(self) -> int:
        """Requests that were not answered ok."""
        return self.failed + self.unknown


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of a distribution in µs; all are 0 if `count` is 0."""

    count: int = 0
    p50: int = 0
    p90: int = 0
    p99: int = 0
    p999: int = 0
    max: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the requests: outcomes, rate per wall second, latency."""

    outcomes: Outcomes
    rate: float
    latency: Latency


@dataclass(frozen=True, slots=True)
class Loss:
    """The number of requests of a step that were lost for one cause."""

    step: int
    outcome: str
    cause: str
    count: int


@dataclass(frozen=True, slots=True)
class Phase:
    """The requests of a step; `step` is None for those before the first step.

    `by_balancer` has every balancer of the run, and requests without a known one if there are any; the keys
    of `by_family` are balancers and `ipv4` or `ipv6`, by which the client was connected.
    `start_lag` is how late requests were sent, µs after the intended time.
    """

    step: Step | None
    all: Share
    by_balancer: Mapping[str, Share]
    by_protocol: Mapping[tuple[str, str], Share]
    by_family: Mapping[tuple[str, str], Outcomes]
    start_lag: Latency


@dataclass(frozen=True, slots=True)
class Timeline:
    """Equal buckets from `start`, `width` wall seconds each; a request counts where it was due.

    `ok` counts by balancer, `lost` counts, `p50` and `p99` in µs or None where nothing was measured.
    """

    start: float
    width: float
    ok: Mapping[str, tuple[int, ...]]
    lost: tuple[int, ...]
    p50: tuple[int | None, ...]
    p99: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of a run's requests."""

    all: Share
    by_balancer: Mapping[str, Share]
    by_protocol: Mapping[tuple[str, str], Share]
    by_family: Mapping[tuple[str, str], Outcomes]
    phases: tuple[Phase, ...]
    losses: tuple[Loss, ...]
    start_lag: Latency
    timeline: Timeline


FamilyKey = tuple[int, str, str]
"""Position of the step, balancer, `ipv4` or `ipv6`."""
CellKey = tuple[int, str, str]
"""Position of the step (0 before the first), balancer, protocol."""


@dataclass(slots=True)
class _Cell:
    """The running counts of one step, balancer and protocol."""

    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    histogram: HdrHistogram = field(
        default_factory=lambda: HdrHistogram(1, HIGHEST_LATENCY, SIGNIFICANT_DIGITS)
    )


def balancer_by_route(ledger: Ledger, history: History) -> list[str]:
    """Return the name of the balancer of each of the ledger's routes, by the route's number."""
    by_address = history.balancer_by_address()
    return [
        by_address.get(route.peer, UNKNOWN) if route.peer or route.pod else NONE
        for route in ledger.routes.rows
    ]


def tally(ledger: Ledger, history: History) -> Tally:
    """Count all requests once."""
    windows = StepWindows.of(history.steps())
    routes = [
        (balancer, route.protocol, route.shape == "unary", route.family)
        for balancer, route in zip(balancer_by_route(ledger, history), ledger.routes.rows, strict=True)
    ]
    names = list(history.named_balancers().by_name)
    cells: dict[CellKey, _Cell] = {}
    families: dict[FamilyKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    lags: dict[int, Counter[int]] = defaultdict(Counter)
    losses: Counter[tuple[int, int, str]] = Counter()
    line = _Line(history, names)
    columns = (ledger.intended, ledger.sent, ledger.finished, ledger.outcome, ledger.route)
    for row, (intended, sent, finished, outcome, route) in enumerate(zip(*columns, strict=True)):
        index = windows.index(intended)
        balancer, protocol, is_unary, family = routes[route]
        cell = cells.get((index, balancer, protocol))
        if cell is None:
            cell = cells[index, balancer, protocol] = _Cell()
        cell.counts[outcome] += 1
        families[index, balancer, family][outcome] += 1
        # Counted first, so that the histogram has one record_value per distinct lag, not per request.
        lags[index][_micros(sent - intended) // LAG_UNIT] += 1
        if outcome == OK:
            latency = _micros(finished - intended) if is_unary else None
            if latency is not None:
                cell.histogram.record_value(latency)
            line.add(intended, balancer, latency)
        else:
            losses[index, outcome, ledger.causes[row]] += 1
            line.add_lost(intended)
    seconds = max(ledger.intended) - min(ledger.intended) if len(ledger) else 0.0
    numbers = [0, *(step.number for step in windows.steps)]
    late = {index: _histogram(counts) for index, counts in lags.items()}
    return Tally(
        all=_share(cells.values(), seconds),
        by_balancer=_by_balancer(cells, names, seconds),
        by_protocol=_by_protocol(cells, seconds),
        by_family=_by_family(families),
        phases=tuple(_phases(cells, families, names, late, windows.steps, history, ledger)),
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
    families: Mapping[FamilyKey, Sequence[int]],
    names: Sequence[str],
    lags: Mapping[int, HdrHistogram],
    played: tuple[Step, ...],
    history: History,
    ledger: Ledger,
) -> Iterable[Phase]:
    steps: list[Step | None] = [None, *played]
    first, last = (min(ledger.intended), max(ledger.intended)) if len(ledger) else (0.0, 0.0)
    for index, step in enumerate(steps):
        mine = {key: cell for key, cell in cells.items() if key[0] == index}
        if step is None and not mine:
            continue
        start, end = (
            (first, history.begin) if step is None else (max(step.start, first), min(step.until, last))
        )
        seconds = max(0.0, end - start)
        yield Phase(
            step,
            _share(mine.values(), seconds),
            _by_balancer(mine, names, seconds),
            _by_protocol(mine, seconds),
            _by_family({key: counts for key, counts in families.items() if key[0] == index}),
            _latency([lags[index]] if index in lags else []),
        )


def _by_balancer(cells: Mapping[CellKey, _Cell], names: Sequence[str], seconds: float) -> dict[str, Share]:
    shares = {}
    for balancer in (*names, NONE, UNKNOWN):
        mine = [cell for key, cell in cells.items() if key[1] == balancer]
        if mine or balancer in names:
            shares[balancer] = _share(mine, seconds)
    return shares


def _by_protocol(cells: Mapping[CellKey, _Cell], seconds: float) -> dict[tuple[str, str], Share]:
    pairs = sorted({(balancer, protocol) for _, balancer, protocol in cells})
    return {pair: _share([cell for key, cell in cells.items() if key[1:] == pair], seconds) for pair in pairs}


def _by_family(families: Mapping[FamilyKey, Sequence[int]]) -> dict[tuple[str, str], Outcomes]:
    sums: dict[tuple[str, str], list[int]] = {}
    for (_, balancer, family), counts in sorted(families.items()):
        so_far = sums.setdefault((balancer, family), [0, 0, 0])
        for code, count in enumerate(counts):
            so_far[code] += count
    return {pair: Outcomes(*counts) for pair, counts in sums.items()}


def _share(cells: Iterable[_Cell], seconds: float) -> Share:
    counted = list(cells)
    outcomes = Outcomes(
        *(sum(cell.counts[code] for cell in counted) for code in (OK, FAILED, reconciliation.UNKNOWN))
    )
    rate = outcomes.total / seconds if seconds > 0 else 0.0
    return Share(outcomes, rate, _latency(cell.histogram for cell in counted))


def _latency(histograms: Iterable[HdrHistogram]) -> Latency:
    merged: HdrHistogram | None = None
    for one in histograms:
        if one.get_total_count() == 0:
            continue
        if merged is None:
            merged = HdrHistogram(1, HIGHEST_LATENCY, SIGNIFICANT_DIGITS)
        # Histograms add up, percentiles do not: so the parts are kept until the end.
        merged.add(one)
    if merged is None:
        return Latency()
    points = merged.get_percentile_to_value_dict([50, 90, 99, 99.9])
    return Latency(
        merged.get_total_count(), points[50], points[90], points[99], points[99.9], merged.get_max_value()
    )


def _micros(seconds: float) -> int:
    # Both bounds, because HdrHistogram drops a value outside of them without an error, and with it the
    # slowest requests.
    return min(HIGHEST_LATENCY, max(1, round(seconds * 1e6)))


class _Line:
    """The running counts of the timeline."""

    def __init__(self, history: History, names: Iterable[str]) -> None:
        self._start = history.begin
        self._width = max(history.end - history.begin, 1e-6) / BUCKETS
        self._ok: dict[str, list[int]] = {name: [0] * BUCKETS for name in (*names, NONE, UNKNOWN)}
        self._lost = [0] * BUCKETS
        self._latencies: list[array[int]] = [array("L") for _ in range(BUCKETS)]

    def _bucket(self, time: float) -> int:
        return min(BUCKETS - 1, max(0, int((time - self._start) / self._width)))

    def add(self, time: float, balancer: str, latency: int | None) -> None:
        """Count a request that was answered ok."""
        bucket = self._bucket(time)
        self._ok[balancer][bucket] += 1
        if latency is not None:
            self._latencies[bucket].append(latency)

    def add_lost(self, time: float) -> None:
        """Count a request that failed or ended unknown."""
        self._lost[self._bucket(time)] += 1

    def done(self) -> Timeline:
        """Return the timeline."""
        ranked = [sorted(values) for values in self._latencies]
        return Timeline(
            self._start,
            self._width,
            {name: tuple(counts) for name, counts in self._ok.items()},
            tuple(self._lost),
            tuple(_rank(values, 0.5) for values in ranked),
            tuple(_rank(values, 0.99) for values in ranked),
        )


def _rank(ranked: list[int], share: float) -> int | None:
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))] if ranked else None
