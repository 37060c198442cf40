"""Thresholds: `failed == 0`, `alb.p99 < 250ms`, `drained_within: 15m`. The verdict has a line for each.

```
[BALANCER.] total | ok | failed | unknown | lost           == != < <= > >=   a number
[BALANCER.] p50 | p90 | p99 | p99.9 | max                  == != < <= > >=   250ms   (wall time, unary calls)
[BALANCER.] longest_gap                                    : < <=            30s     (production time)
drained_within | moved_within                              :                 15m     (production time)
```

BALANCER is a name: `nlb` and `alb` if the run has one of that type, the object that makes it
(`service/shop/envoy`), its DNS name, or a name that the scenario gives.

`drained_within` is from the alias's move until no connection is left on the old balancer, `moved_within` from
the operator's action until the first request through the new one. Both must hold for every move, except that
the drain of a rollback may be cut short. `longest_gap` limits the outage that the run could have missed: the
longest interval between two answers of a balancer in use. Latencies are wall time at any speed: answering
does not get slower with the clock. A threshold that a run did not measure is inconclusive, never met.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from testbed.balancer_identity import NONE, UNKNOWN, phrase
from testbed.errors import BadInput, Location
from testbed.verdict.balancers import Balancers
from testbed.verdict.moments import Move
from testbed.verdict.phases import Share, Tally

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COUNTS = ("total", "ok", "failed", "unknown", "lost")
_LOSSES = ("failed", "unknown", "lost")
_LATENCIES = {"p50": "p50", "p90": "p90", "p99": "p99", "p99.9": "p999", "max": "max"}
_WITHIN = ("drained_within", "moved_within")
_GAP = "longest_gap"
_UNITS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_COMPARISON = re.compile(r"([^=!<>:.][^=!<>:]*?)\s*(==|!=|<=|>=|<|>|:)\s*(\S+)")
_ALL = (*_COUNTS, *_LATENCIES, *_WITHIN, _GAP)
_METRICS = sorted(_ALL, key=len, reverse=True)  # p99.9 before any shorter end
_COUNT = re.compile(r"[0-9]{1,15}")  # not \d, which also takes digits of other scripts
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(us|µs|ms|s|m|h)")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit. `value` is a count, or seconds; `balancer` is a name, None for the whole run."""

    text: str
    metric: str
    compare: str
    value: float
    balancer: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A threshold and the measurement; `holds` is None if the run did not measure it."""

    threshold: Threshold
    holds: bool | None
    seen: str


def parse(text: str, where: Location | None = None) -> Threshold:
    """Parse a threshold.

    Raises:
        BadInput: it cannot be parsed, or nothing can break it; with `where`.
    """
    words = " ".join(text.split())
    match = _COMPARISON.fullmatch(words)
    if not match:
        raise _unreadable(words, "it is not a comparison", where)
    left, compare, value = match.groups()
    balancer, metric = _split(left)
    if metric in _WITHIN:
        if balancer or compare not in (":", "<="):
            raise _unreadable(words, f"it must be {metric}: DURATION", where)
        return Threshold(words, metric, "<=", _duration(value, words, where))
    if metric == _GAP:
        if compare not in (":", "<", "<="):
            raise _unreadable(words, f"it must be {metric}: DURATION", where)
        limit = _duration(value, words, where)
        return Threshold(words, metric, "<=" if compare == ":" else compare, limit, balancer)
    if compare == ":":
        raise _unreadable(words, f"only {', '.join((*_WITHIN, _GAP))} take a colon", where)
    if metric in _COUNTS:
        if not _COUNT.fullmatch(value):
            raise _unreadable(words, f"{metric} is compared with a whole number, not {value!r}", where)
        return _that_can_fail(Threshold(words, metric, compare, float(value), balancer), where)
    if metric in _LATENCIES:
        limit = _duration(value, words, where)
        return _that_can_fail(Threshold(words, metric, compare, limit, balancer), where)
    raise _unreadable(words, f"{metric!r} is not one of {', '.join(_ALL)}", where)


def _that_can_fail(threshold: Threshold, where: Location | None) -> Threshold:
    if threshold.compare == ">=" and threshold.value == 0:
        raise BadInput(
            f"the threshold {threshold.text!r} always holds", where=where, do="write one that can fail"
        )
    return threshold


def _split(left: str) -> tuple[str | None, str]:
    """Split `service/shop/envoy.p99.9` into the balancer and the metric; names may have dots of their own."""
    for metric in _METRICS:
        if left == metric:
            return None, metric
        if left.endswith(f".{metric}"):
            return left.removesuffix(f".{metric}"), metric
    return None, left.rpartition(".")[2]


def measure(
    threshold: Threshold,
    counted: Tally,
    moves: tuple[Move, ...],
    speed: float,
    balancers: Balancers,
    longest_gaps: Mapping[str, float],
) -> Measured:
    """Measure a threshold.

    Args:
        threshold: the limit.
        counted: the run's requests.
        moves: the moves of the alias.
        speed: production seconds that pass in a wall second.
        balancers: the balancers of the run.
        longest_gaps: the wall seconds of the longest interval without an answer, by balancer in use.
    """
    if threshold.metric in _WITHIN:
        return _measure_moves(threshold, moves, speed)
    if threshold.metric == _GAP:
        return _measure_gaps(threshold, longest_gaps, speed, balancers)
    shares = [counted.all]
    if threshold.balancer:
        try:
            names = balancers.resolve(threshold.balancer)
        except BadInput as error:
            return Measured(threshold, None, str(error))
        shares = [share for name in names if (share := counted.by_balancer[name]).outcomes.total]
        if not shares and threshold.metric != "total":
            return Measured(threshold, None, f"no request went through {phrase(threshold.balancer)}")
        if threshold.metric in _LOSSES and (lost := _of_no_balancer(counted)):
            return Measured(threshold, None, f"{lost:,} lost requests had no answer that names a balancer")
    if threshold.metric in _COUNTS:
        count = sum(int(getattr(share.outcomes, threshold.metric)) for share in shares)
        return Measured(threshold, _holds(threshold, count), f"{count:,}")
    return _measure_latency(threshold, shares)


def _of_no_balancer(counted: Tally) -> int:
    """Return how many requests were lost through a balancer that no record names; each could be of any."""
    shares = (counted.by_balancer.get(key) for key in (NONE, UNKNOWN))
    return sum(share.outcomes.lost for share in shares if share)


def _measure_latency(threshold: Threshold, shares: Sequence[Share]) -> Measured:
    """Measure the latency of each balancer that a name means; a percentile of all lies between theirs."""
    shares = [share for share in shares if share.latency.count]
    if not shares:
        return Measured(threshold, None, "no unary request was answered ok")
    micros = [int(getattr(share.latency, _LATENCIES[threshold.metric])) for share in shares]
    holds = all(_holds(threshold, value / 1e6) for value in micros)
    seen = ", ".join(f"{value / 1e3:g} ms" for value in micros)
    return Measured(threshold, holds, f"{seen}, wall time")


def _measure_gaps(
    threshold: Threshold, longest_gaps: Mapping[str, float], speed: float, balancers: Balancers
) -> Measured:
    """Measure the longest gaps. One that is too long is no proof of an outage, only none against it."""
    names: Sequence[str] = list(longest_gaps)
    if threshold.balancer:
        try:
            names = [name for name in balancers.resolve(threshold.balancer) if name in longest_gaps]
        except BadInput as error:
            return Measured(threshold, None, str(error))
    if not names:
        return Measured(threshold, None, "no balancer was in use")
    gaps = [longest_gaps[name] * speed for name in names]
    seen = ", ".join(f"{gap:.1f} s at {phrase(name)}" for name, gap in zip(names, gaps, strict=True))
    holds = all(_holds(threshold, gap) for gap in gaps)
    return Measured(threshold, True if holds else None, f"{seen}, production time")


def _measure_moves(threshold: Threshold, moves: tuple[Move, ...], speed: float) -> Measured:
    """Measure every move. A move that ended before the limit, e.g. with a rollback, is not measured.

    A rollback whose drain was not watched that long does not count: the limit is on leaving the old balancer.
    """
    seen: list[str] = []
    verdicts: list[bool | None] = []
    for move in moves:
        if threshold.metric == "drained_within" and not move.drains:
            continue  # the clients reported no connections
        took = _drained(move) if threshold.metric == "drained_within" else move.gap
        is_drain = threshold.metric == "drained_within"
        waited = ((move.drained_until if is_drain else move.until) - move.time) * speed
        if took is not None:
            verdicts.append(took * speed <= threshold.value)
            seen.append(f"{took * speed:.0f} s")
        elif waited >= threshold.value:
            verdicts.append(False)
            seen.append(f"not within {waited:.0f} s")
        elif not is_drain or not move.is_rollback:
            verdicts.append(None)
            seen.append(f"watched for only {waited:.0f} s")
    if not verdicts:
        return Measured(
            threshold, None, "no move was watched for that long" if moves else "the alias did not move"
        )
    holds = False if False in verdicts else None if None in verdicts else True
    return Measured(threshold, holds, f"{', '.join(seen)}, production time")


def _drained(move: Move) -> float | None:
    """Return the wall seconds until the last connection left, or None if one stayed."""
    if any(drain.left for drain in move.drains):
        return None
    return max(max(0.0, (drain.empty_at or move.time) - move.time) for drain in move.drains)


def _holds(threshold: Threshold, seen: float) -> bool:
    return _OPERATORS[threshold.compare](seen, threshold.value)


def _duration(text: str, words: str, where: Location | None) -> float:
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise _unreadable(words, f"{text!r} is not a duration such as 250ms or 15m", where)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _unreadable(words: str, why: str, where: Location | None) -> BadInput:
    return BadInput(
        f"the threshold {words!r} cannot be read: {why}",
        where=where,
        do="write e.g. failed == 0, p99 < 250ms or drained_within: 15m",
    )
