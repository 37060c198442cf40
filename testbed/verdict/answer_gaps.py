"""The intervals without an answer, by balancer: which were outages, and which outages would have been seen.

```
 answers   │ │││ │ │                        ││││ │ │││
 due       ││││││││││││││││││││││││││││││││││││││││││     a stall: requests wait, and none is answered
 due       │   │                              │    │      unseen: an outage could have begun and ended
```

An answer proves that the balancer answered at that moment. So no outage is longer than the longest interval
between two answers, whatever the rate, and however late the generator was.

A **stall** is an outage, even if all requests are answered later: an interval of at least
`settings.shortest_stall` in which requests were due and none was answered, at a balancer, at one of its
nodes, or at one target or backend behind it. Time in which the generator or the testbed's main process did
not run does not count, nor does the time that the quickest answer takes: answering time does not scale with
the clock.
"""

from __future__ import annotations

import bisect
import enum
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from testbed.balancer_identity import NONE, UNKNOWN
from testbed.settings import PATIENCE, shortest_stall
from testbed.verdict.history import History
from testbed.verdict.phases import balancer_by_route
from testbed.verdict.reconciliation import OK, Ledger
from testbed.verdict.record_targets import record_targets
from testbed.verdict.standstills import standstills, until_all_runs
from testbed.verdict.traffic_windows import TrafficWindow

ROUNDING = 1e-6
"""Seconds. Times since the epoch have no finer digits, so a stall of just the limit may look shorter."""

FEWEST_WAITING, FEWEST_AT_A_PART = 2, 4
"""Requests that must have waited in a stall, of a balancer and of a part of it: a single one is a slow
answer, and so may be a few where a part has few."""

Interval = tuple[float, float]
Answer = tuple[float, float]
"""When a request was answered, and when it was due."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Requests waited from `start` to `end`, wall seconds, and none was answered.

    Attributes:
        balancer: its name.
        part: the node of the balancer, or the target or backend behind it, that did not answer; "" for all.
        waiting: how many requests were due in it.
    """

    balancer: str
    part: str
    start: float
    end: float
    waiting: int


class Cause(enum.Enum):
    """Why a stall at a balancer in use would not have shown."""

    THIN = "no request was due for as long as a stall"
    LATE = "requests were due, but the generator started them late"
    SHORT = "the requests stopped before a stall could have lasted"
    SHARED = "it had weight in a step, and chance led no client to it"


@dataclass(frozen=True, slots=True)
class Unseen:
    """An interval in which a stall at a balancer in use would not have shown."""

    balancer: str
    start: float
    end: float
    cause: Cause


@dataclass(frozen=True, slots=True)
class AnswerGaps:
    """What the run proves of outages.

    Attributes:
        stalls: the outages, in the order of time.
        unseen: intervals in which one would not have shown, in the order of time.
        longest: for each balancer in use, the wall seconds of the longest interval without an answer: no
            outage was longer. A balancer is in use here also while it shares the name by weight.
        limit: the wall seconds from which on an interval is a stall.
    """

    stalls: tuple[Stall, ...]
    unseen: tuple[Unseen, ...]
    longest: Mapping[str, float]
    limit: float


def answer_gaps(
    ledger: Ledger,
    history: History,
    windows: Sequence[TrafficWindow],
    connections: Mapping[str, Sequence[tuple[float, int]]],
) -> AnswerGaps:
    """Find the intervals without an answer.

    Args:
        ledger: the requests.
        history: the single events of the run.
        windows: when requests were due.
        connections: how many connections each balancer had, as a step function; empty if the clients did not
            report them.
    """
    answers, lost = _answers(ledger, history)
    limit = shortest_stall(history.speed)
    late = (
        (intended, sent)
        for intended, sent in zip(ledger.intended, ledger.sent, strict=True)
        if sent - intended > PATIENCE.start_lag
    )
    asleep = _merged((*late, *until_all_runs(standstills(history))))
    stalls, unseen, longest = list[Stall](), list[Unseen](), dict[str, float]()
    accepted = lost if history.losses_accepted else []
    for name, by_part in answers.items():
        everything = sorted(answer for mine in by_part.values() for answer in mine)
        quickest = max(0.0, min(finished - due for finished, due in everything))
        found = list[Stall]()
        for part, mine in _lanes(everything, by_part):
            for start, end, after in _waits(mine):
                waited = end - start - quickest - _overlap(asleep, start, end)
                # Nobody who accepts that requests are lost minds that others had to wait meanwhile.
                if waited + ROUNDING < limit or _any_within(accepted, start, end):
                    continue
                waiting = sum(due <= end for _, due in mine[after:])
                if waiting < (FEWEST_AT_A_PART if part else FEWEST_WAITING):
                    continue
                if not any(one.start < end and start < one.end for one in found):
                    found.append(Stall(name, part, start, end, waiting))
        stalls += found
        use = _Use(history, name, windows, connections.get(name, ()))
        for start, end in _silences(everything, use):
            for part_start, part_end in _split(start, end, lost):
                length = part_end - part_start
                longest[name] = max(length, longest.get(name, 0.0))
                if length + ROUNDING < limit or any(
                    one.start < part_end and part_start < one.end for one in found
                ):
                    continue
                is_late = length - _overlap(asleep, part_start, part_end) + ROUNDING < limit
                cause = Cause.LATE if is_late else Cause.THIN
                unseen.append(Unseen(name, part_start, part_end, cause))
        unseen += _short(name, everything, windows, limit, longest.get(name, 0.0))
    for name, shares in _shares(history).items():
        times = sorted(finished for mine in answers.get(name, {}).values() for finished, _ in mine)
        use = _Use(history, name, windows, ())
        for start, end in _between(times, [due for share in shares for due in use.due(*share)]):
            for part_start, part_end in _split(start, end, lost):
                longest[name] = max(part_end - part_start, longest.get(name, 0.0))
        unseen += _unanswered(name, times, shares, use, history, limit)
    return AnswerGaps(
        tuple(sorted(stalls, key=lambda one: one.start)),
        tuple(sorted(unseen, key=lambda one: one.start)),
        longest,
        limit,
    )


class _Use:
    """When a balancer is in use: requests are due, and lead to it."""

    def __init__(
        self,
        history: History,
        name: str,
        windows: Sequence[TrafficWindow],
        connections: Sequence[tuple[float, int]],
    ) -> None:
        self._due = [(window.start, window.end) for window in windows]
        # The clients may be few and find another balancer each time: weights promise a balancer no request
        # at any one moment. `_unanswered` asks for one in each step.
        self.only = _merged(
            (one.start, one.end) for one in record_targets(history) if one.balancers == {name}
        )
        self._times = [time for time, _ in connections]
        self._levels = [level for _, level in connections]

    def due(self, start: float, end: float) -> Iterator[Interval]:
        """Yield the parts of an interval in which requests are due."""
        for first, last in self._due:
            if max(first, start) < min(last, end):
                yield max(first, start), min(last, end)

    def is_connected(self, start: float, end: float) -> bool:
        """True if a client was connected all the time."""
        first = bisect.bisect_right(self._times, start) - 1
        last = bisect.bisect_left(self._times, end)
        return first >= 0 and all(self._levels[first:last])


def _answers(
    ledger: Ledger, history: History
) -> tuple[dict[str, dict[tuple[str, ...], list[Answer]]], list[float]]:
    """Return the answers of each balancer by node, target and backend, and when lost requests were due.

    A stream lasts as long as its client wants, so streams count only where there is nothing else.
    """
    names = balancer_by_route(ledger, history)
    routes = ledger.routes.rows
    has_unary = {name for name, route in zip(names, routes, strict=True) if route.shape == "unary"}
    counts = [
        name not in (NONE, UNKNOWN) and (route.shape == "unary" or name not in has_unary)
        for name, route in zip(names, routes, strict=True)
    ]
    found: dict[str, dict[tuple[str, ...], list[Answer]]] = defaultdict(lambda: defaultdict(list))
    lost = []
    for row, (code, upstream) in enumerate(zip(ledger.route, ledger.upstreams(), strict=True)):
        if counts[code]:
            route = routes[code]
            mine = found[names[code]][route.peer, route.pod, upstream]
            mine.append((ledger.finished[row], ledger.intended[row]))
        elif names[code] == NONE and ledger.outcome[row] != OK:
            lost.append(ledger.intended[row])
    return found, sorted(lost)


def _lanes(
    everything: list[Answer], by_part: Mapping[tuple[str, ...], Sequence[Answer]]
) -> Iterator[tuple[str, list[Answer]]]:
    """Yield the answers of the balancer, of each of its nodes, and of each target and backend behind it."""
    yield "", everything
    for position, what in enumerate(("node", "target", "backend")):
        by_name: dict[str, list[Answer]] = defaultdict(list)
        for parts, mine in by_part.items():
            by_name[parts[position]] += mine
        if len(by_name) > 1:
            yield from ((f"{what} {name}", sorted(mine)) for name, mine in sorted(by_name.items()) if name)


def _waits(answers: Sequence[Answer]) -> Iterator[tuple[float, float, int]]:
    """Yield each interval in which requests waited and none was answered, with the index of its first answer.

    It begins when the first of them was due, or with the answer before.
    """
    earliest = list(accumulate((due for _, due in reversed(answers)), min))[::-1]
    before = -math.inf
    for index, (finished, _) in enumerate(answers):
        yield max(before, earliest[index]), finished, index
        before = finished


def _silences(answers: Sequence[Answer], use: _Use) -> Iterator[Interval]:
    """Yield the intervals without an answer while the balancer was in use.

    While all records lead to it, it is; its first answer shows that the clients have noticed, or that they
    had no other to notice. Later it is in use as long as clients are connected.
    """
    times = [-math.inf, *(finished for finished, _ in answers), math.inf]
    starts, ends = [start for start, _ in use.only], [end for _, end in use.only]
    for start, end in pairwise(times):
        at = bisect.bisect_right(starts, start) - 1
        if start == -math.inf:
            # Nobody could have another answer cached if the records led here before the traffic began.
            begins = [begin for begin, _ in use.due(start, end)][:1]
            at = bisect.bisect_right(starts, begins[0]) - 1 if begins else -1
        if math.isfinite(start) and math.isfinite(end) and use.is_connected(start, end):
            yield from use.due(start, end)
        elif at >= 0 and start < ends[at]:
            yield from use.due(start, min(end, ends[at]))


def _short(
    name: str, answers: Sequence[Answer], windows: Sequence[TrafficWindow], limit: float, longest: float
) -> Iterator[Unseen]:
    """Yield the windows of traffic at a balancer that are shorter than a stall, else its use if that is.

    It was in use for as long as a gap before its first answer, and after its last.
    """
    used = 0.0
    first, last = min(due for _, due in answers), max(finished for finished, _ in answers)
    found: list[Unseen] = []
    for window in windows:
        used += max(0.0, min(window.end, last) - max(window.start, first))
        is_short = window.end - window.start + ROUNDING < limit
        if is_short and any(window.start <= due <= window.end for _, due in answers):
            found.append(Unseen(name, window.start, window.end, Cause.SHORT))
    if not found and used + 2 * longest + ROUNDING < limit:
        found.append(Unseen(name, first, last, Cause.SHORT))
    yield from found


def _shares(history: History) -> Mapping[str, Sequence[Interval]]:
    """Return when each balancer was one of several that the name's weights led to."""
    shares: dict[str, list[Interval]] = defaultdict(list)
    for one in record_targets(history):
        if len(one.balancers) > 1:
            for name in sorted(one.balancers):
                shares[name].append((one.start, one.end))
    return {name: _merged(mine) for name, mine in shares.items()}


def _between(times: Sequence[float], intervals: Iterable[Interval]) -> Iterator[Interval]:
    """Yield the pieces between answers of intervals in which requests are due."""
    for start, end in intervals:
        yield from pairwise(
            (start, *times[bisect.bisect_right(times, start) : bisect.bisect_left(times, end)], end)
        )


def _unanswered(
    name: str, times: Sequence[float], shares: Sequence[Interval], use: _Use, history: History, limit: float
) -> Iterator[Unseen]:
    """Yield each step in which a balancer had a share for as long as a stall, and answered nothing.

    Chance may lead none of a few clients to it for a while, so a silence within a step is no reason.
    """
    for step in history.steps():
        due = [
            piece
            for start, end in shares
            if max(start, step.start) < min(end, step.until)
            for piece in use.due(max(start, step.start), min(end, step.until))
        ]
        if sum(end - start for start, end in due) + ROUNDING < limit:
            continue
        if not _any_within(times, step.start, step.until):
            yield Unseen(name, due[0][0], due[-1][1], Cause.SHARED)


def _split(start: float, end: float, seen: Sequence[float]) -> Iterator[Interval]:
    """Split an interval at the moments of requests that were lost: an outage there has shown."""
    within = seen[bisect.bisect_right(seen, start) : bisect.bisect_left(seen, end)]
    yield from pairwise((start, *within, end))


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _overlap(merged: Sequence[Interval], start: float, end: float) -> float:
    """Return how much of an interval the others cover."""
    first = max(0, bisect.bisect_right(merged, (start, math.inf)) - 1)
    total = 0.0
    for begin, until in merged[first:]:
        if begin >= end:
            break
        total += max(0.0, min(end, until) - max(start, begin))
    return total


def _any_within(times: Sequence[float], start: float, end: float) -> bool:
    return bisect.bisect_left(times, start) < bisect.bisect_right(times, end)
