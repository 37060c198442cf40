"""Thresholds: `failed == 0`, `alb.p99 < 250ms`, `drained_within: 15m`; each is a line of the verdict.

```
[nlb. or alb.] total | ok | failed | unknown | lost        == != < <= > >=   a number
[nlb. or alb.] p50 | p90 | p99 | p99.9 | max               == != < <= > >=   250ms   (wall time, unary calls)
drained_within | moved_within                              :                 15m     (production time)
```

`drained_within` is from the alias's move until no connection is left on the old balancer, `moved_within` from
the operator's act until the first request through the new one; both must hold of every move, but for the
drain of a rollback that nobody waited for. What a run did not measure is inconclusive, never held.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from testbed.errors import BadInput, Location
from testbed.rehearsal.moments import Move
from testbed.rehearsal.phases import Share, Tally
from testbed.rehearsal.story import Via

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
_UNITS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_COMPARISON = re.compile(r"(?:(nlb|alb)\.)?([a-z][a-z0-9_.]*?)\s*(==|!=|<=|>=|<|>|:)\s*(\S+)")
_COUNT = re.compile(r"[0-9]{1,15}")
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(us|µs|ms|s|m|h)")


@dataclass(frozen=True, slots=True)
class Threshold:
    """One limit. `value` is a count, or seconds; `balancer` None means both."""

    text: str
    metric: str
    compare: str
    value: float
    balancer: Via | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A threshold and what the run says of it; `holds` None if it did not measure it."""

    threshold: Threshold
    holds: bool | None
    seen: str


def parse(text: str, where: Location | None = None) -> Threshold:
    """Read a threshold.

    Raises:
        BadInput: it cannot be read; with the place if one is given.
    """
    words = " ".join(text.split())
    match = _COMPARISON.fullmatch(words)
    if not match:
        raise _unreadable(words, "it is no comparison", where)
    balancer, metric, compare, value = match.groups()
    via = Via(balancer) if balancer else None
    if metric in _WITHIN:
        if via or compare not in (":", "<="):
            raise _unreadable(words, f"it must be {metric}: DURATION", where)
        return Threshold(words, metric, "<=", _duration(value, words, where))
    if compare == ":":
        raise _unreadable(words, f"only {' and '.join(_WITHIN)} take a colon", where)
    if metric in _COUNTS:
        if not _COUNT.fullmatch(value):
            raise _unreadable(words, f"{metric} is compared with a whole number, not {value!r}", where)
        return Threshold(words, metric, compare, float(value), via)
    if metric in _LATENCIES:
        return Threshold(words, metric, compare, _duration(value, words, where), via)
    known = ", ".join((*_COUNTS, *_LATENCIES, *_WITHIN))
    raise _unreadable(words, f"{metric!r} is not one of {known}", where)


def measure(threshold: Threshold, counted: Tally, moves: tuple[Move, ...], speed: float) -> Measured:
    """What a run says of a threshold.

    Args:
        threshold: the limit.
        counted: the run's requests.
        moves: the moves of the alias.
        speed: production seconds that pass in a wall second.
    """
    if threshold.metric in _WITHIN:
        return _measure_moves(threshold, moves, speed)
    share = counted.by_balancer.get(threshold.balancer) if threshold.balancer else counted.all
    if share is None or (threshold.balancer and not share.outcomes.total and threshold.metric != "total"):
        return Measured(threshold, None, f"no request went through the {threshold.balancer or 'balancers'}")
    nobodys = counted.by_balancer.get(Via.NONE)
    if threshold.balancer and threshold.metric in _LOSSES and nobodys and nobodys.outcomes.lost:
        words = f"{nobodys.outcomes.lost:,} lost requests came back from neither balancer"
        return Measured(threshold, None, words)
    if threshold.metric in _COUNTS:
        count = int(getattr(share.outcomes, threshold.metric))
        return Measured(threshold, _holds(threshold, count), f"{count:,}")
    return _measure_latency(threshold, share)


def _measure_latency(threshold: Threshold, share: Share) -> Measured:
    if not share.latency.count:
        return Measured(threshold, None, "no unary request was answered ok")
    micros = int(getattr(share.latency, _LATENCIES[threshold.metric]))
    return Measured(threshold, _holds(threshold, micros / 1e6), f"{micros / 1e3:g} ms")


def _measure_moves(threshold: Threshold, moves: tuple[Move, ...], speed: float) -> Measured:
    """Of every move; one that was over before the limit, e.g. by a rollback, is not measured.

    A rollback whose drain nobody watched so long does not count: the limit is on leaving the NLB.
    """
    seen: list[str] = []
    verdicts: list[bool | None] = []
    for move in moves:
        if threshold.metric == "drained_within" and not move.drains:
            continue  # nobody told of connections
        took = _drained(move) if threshold.metric == "drained_within" else move.gap
        waited = (move.until - move.time) * speed
        if took is not None:
            verdicts.append(took * speed <= threshold.value)
            seen.append(f"{took * speed:.0f} s")
        elif waited >= threshold.value:
            verdicts.append(False)
            seen.append(f"not within {waited:.0f} s")
        elif threshold.metric != "drained_within" or move.to is Via.ALB:
            verdicts.append(None)
            seen.append(f"watched for {waited:.0f} s only")
    if not verdicts:
        return Measured(threshold, None, "no move was watched for so long" if moves else "nothing moved")
    holds = False if False in verdicts else None if None in verdicts else True
    return Measured(threshold, holds, ", ".join(seen))


def _drained(move: Move) -> float | None:
    """Wall seconds until the last connection had left, None if one stayed."""
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
