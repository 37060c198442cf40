"""`summary.json`: the verdict for machines. Latencies in µs, times in seconds since the start of the run."""

from __future__ import annotations

from typing import Any

import orjson

from testbed import journal
from testbed.rehearsal.moments import Drain, Move
from testbed.rehearsal.phases import Latency, Outcomes, Phase, Share
from testbed.rehearsal.verdict import Verdict
from testbed.report.words import Times


def render(verdict: Verdict) -> bytes:
    """The verdict as one JSON object."""
    return orjson.dumps(as_dict(verdict), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_dict(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain values, in the shape of the file."""
    times = Times(verdict.story)
    counted = verdict.tally
    stops = verdict.story.traffic
    return {
        "verdict": verdict.result.value,
        "reasons": [
            {
                "reason": finding.reason.name.lower(),
                "verdict": finding.reason.result.value,
                "text": finding.text,
                "requests": list(finding.requests),
            }
            for finding in verdict.findings
        ],
        "thresholds": [
            {"text": one.threshold.text, "holds": one.holds, "seen": one.seen} for one in verdict.thresholds
        ],
        "requests": _outcomes(counted.all.outcomes),
        "latency": _latency(counted.all.latency),
        "balancers": {via.value: _share(share) for via, share in counted.by_balancer.items()},
        "metrics": {event.balancer: event.values for event in verdict.story.metrics},
        "steps": [_phase(phase, verdict, times) for phase in counted.phases],
        "losses": [
            {"step": loss.step, "outcome": loss.outcome, "cause": loss.cause, "requests": loss.count}
            for loss in counted.losses
        ],
        "moments": [
            {"kind": moment.kind.name.lower(), "text": moment.text, **_time(moment.time, times)}
            for moment in verdict.movements.moments
        ],
        "moves": [_move(move, times) for move in verdict.movements.moves],
        "schedule": {
            "scheduled": sum(event.scheduled for event in stops),
            "sent": sum(event.sent for event in stops),
            "finished": sum(event.finished for event in stops),
            "never_started": sum(event.never_started for event in stops),
            "start_lag": _latency(counted.start_lag),
        },
        "differences": [
            {"kind": one.kind.name.lower(), "request": one.id, "text": one.text}
            for one in verdict.differences
        ],
        "run": _run(verdict),
    }


def _run(verdict: Verdict) -> dict[str, Any]:
    if not verdict.story.runs:
        return {}
    run: journal.Run = verdict.story.runs[0]
    seconds = verdict.story.end - verdict.story.begin
    return {
        "scenario": run.scenario,
        "title": run.title,
        "host": run.host,
        "speed": verdict.story.speed,
        "rate": run.rate,
        "seed": run.seed,
        "external_dns": run.external_dns,
        "testbed": run.testbed,
        "machine": run.machine,
        "network": run.network,
        "wall_seconds": round(seconds, 3),
        "production_seconds": round(seconds * verdict.story.speed, 1),
    }


def _phase(phase: Phase, verdict: Verdict, times: Times) -> dict[str, Any]:
    step = phase.step
    known: dict[str, Any] = {"number": 0, "title": "before the first step", "outcome": "passed"}
    if step:
        expectations = [one for one in verdict.story.expectations if one.step == step.number]
        known = {
            "number": step.number,
            "title": step.title,
            "outcome": step.outcome,
            "start": _time(step.start, times),
            "end": _time(step.end, times),
            "expectations": [
                {"text": one.text, "passed": one.passed, "detail": one.detail} for one in expectations
            ],
        }
    return {
        **known,
        "requests": _outcomes(phase.all.outcomes),
        "rate": round(phase.all.rate, 1),
        "latency": _latency(phase.all.latency),
        "start_lag": _latency(phase.start_lag),
        "balancers": {via.value: _share(share) for via, share in phase.by_balancer.items()},
        "protocols": [
            {"balancer": via.value, "protocol": protocol, **_share(share)}
            for (via, protocol), share in phase.by_protocol.items()
        ],
    }


def _move(move: Move, times: Times) -> dict[str, Any]:
    return {
        "title": move.title,
        "name": move.name,
        "from": move.origin.value,
        "to": move.to.value,
        "asked": {"text": move.asked.text, **_time(move.asked.time, times)} if move.asked else None,
        "moved": _time(move.time, times),
        f"first_{move.to.value}_request": _time(move.first_on_new, times),
        f"last_{move.origin.value}_request": _time(move.last_on_old, times),
        "gap": _seconds(move.gap, times),
        "drains": [_drain(drain, move, times) for drain in move.drains],
    }


def _drain(drain: Drain, move: Move, times: Times) -> dict[str, Any]:
    return {
        "protocol": drain.protocol,
        "counts": drain.counts,
        "began_with": drain.began_with,
        "left": drain.left,
        "took": _seconds(drain.empty_at - move.time if drain.empty_at is not None else None, times),
        "ended_by": dict(drain.ended),
        "ages": [_seconds(age, times) for age in drain.ages or ()],
    }


def _share(share: Share) -> dict[str, Any]:
    outcomes = share.outcomes
    return {
        "requests": outcomes.total,
        "ok": outcomes.ok,
        "failed": outcomes.failed,
        "unknown": outcomes.unknown,
        "rate": round(share.rate, 1),
        "latency": _latency(share.latency),
    }


def _outcomes(outcomes: Outcomes) -> dict[str, int]:
    return {
        "total": outcomes.total,
        "ok": outcomes.ok,
        "failed": outcomes.failed,
        "unknown": outcomes.unknown,
    }


def _latency(latency: Latency) -> dict[str, int]:
    return {
        "count": latency.count,
        "p50": latency.p50,
        "p90": latency.p90,
        "p99": latency.p99,
        "p99.9": latency.p999,
        "max": latency.max,
    }


def _time(time: float | None, times: Times) -> dict[str, float | None]:
    if time is None:
        return {"production": None, "wall": None}
    return {"production": round(times.production(time), 2), "wall": round(times.wall(time), 4)}


def _seconds(seconds: float | None, times: Times) -> dict[str, float | None] | None:
    if seconds is None:
        return None
    return {"production": round(seconds * times.speed, 2), "wall": round(seconds, 4)}
