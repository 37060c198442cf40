"""`summary.json`: the verdict for machines. Latencies in µs, times in seconds since the start of the run."""

from __future__ import annotations

from typing import Any

import orjson

from testbed import journal
from testbed.balancer_identity import BalancerIdentity
from testbed.forecast import live_check
from testbed.network import BALANCER_TYPES
from testbed.report import words
from testbed.report.words import Times
from testbed.verdict.answer_gaps import Cause
from testbed.verdict.client_leavings import Leaving
from testbed.verdict.controller_errors import controller_errors
from testbed.verdict.drains import Drain
from testbed.verdict.moment import Moment, MomentKind
from testbed.verdict.moments import Move
from testbed.verdict.phases import Latency, Outcomes, Phase, Share
from testbed.verdict.verdict import Verdict

_OLD_KINDS = {
    MomentKind.FIRST_REQUEST: "first_{}_request",
    MomentKind.LAST_REQUEST: "last_{}_request",
    MomentKind.LAST_CONNECTION: "last_{}_connection",
    MomentKind.MAY_GO: "{}_may_go",
}
"""Kinds of moments as testbed 0.1 wrote them, for the short names that it knew."""


def render(verdict: Verdict) -> bytes:
    """Return the verdict as one JSON object."""
    return orjson.dumps(as_dict(verdict), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_dict(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as plain values, in the shape of the file."""
    times = Times(verdict.history)
    counted = verdict.tally
    stops = verdict.history.traffic
    identities = verdict.history.named_balancers().by_name
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
        "balancers": {
            name: {**_share(share), **_identity(identities.get(name))}
            for name, share in counted.by_balancer.items()
        },
        "outages": _outages(verdict, times),
        "controller_errors": [
            {
                "who": error.who,
                "text": error.text,
                "first": _time(error.first, times),
                "last": _time(error.last, times),
                "count": error.count,
                "passed": error.has_passed,
            }
            for error in controller_errors(verdict.history)
        ],
        "left_out": [{"owner": event.owner, "text": event.text} for event in verdict.history.left_out],
        "metrics": {event.balancer: event.values for event in verdict.history.metrics},
        "steps": [_phase(phase, verdict, times) for phase in counted.phases],
        "losses": [
            {"step": loss.step, "outcome": loss.outcome, "cause": loss.cause, "requests": loss.count}
            for loss in counted.losses
        ],
        "moments": [
            {
                "kind": _kind(moment),
                "text": moment.text,
                **_time(moment.time, times),
                "balancer": moment.balancer or None,
            }
            for moment in verdict.movements.moments
        ],
        "moves": [_move(move, times) for move in verdict.movements.moves],
        "clients": [
            {
                "model": event.model,
                "count": event.count,
                "protocol": event.protocol,
                "resolver": event.resolver,
                "looks_up": event.looks_up,
                "follows_by_itself": event.follows,
                "source": event.source,
                "extrapolated": list(event.extrapolated),
                "assumed": event.assumed,
            }
            for event in verdict.history.clients
        ],
        "forecast": live_check.as_json(
            live_check.live_checks(verdict.history, verdict.tally, verdict.movements.moves)
        ),
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


def _outages(verdict: Verdict, times: Times) -> dict[str, Any]:
    """What the run proves of outages; no outage at a balancer was longer than its longest gap."""
    gaps = verdict.gaps
    return {
        "shortest_stall": _seconds(gaps.limit, times),
        "longest_gaps": {name: _seconds(longest, times) for name, longest in gaps.longest.items()},
        "rate_lowered": [
            {"asked": one.asked, "rate": one.rate, "cores_of_others": one.others}
            for one in verdict.history.rates_lowered
        ],
        "stalls": [
            {
                "balancer": stall.balancer,
                "part": stall.part,
                "start": _time(stall.start, times),
                "lasted": _seconds(stall.end - stall.start, times),
                "waiting": stall.waiting,
            }
            for stall in gaps.stalls
        ],
        "unseen": [
            {
                "balancer": gap.balancer,
                "start": _time(gap.start, times),
                "lasted": _seconds(gap.end - gap.start, times),
                "generator_was_late": gap.cause is Cause.LATE,
            }
            for gap in gaps.unseen
        ],
    }


def _run(verdict: Verdict) -> dict[str, Any]:
    if not verdict.history.runs:
        return {}
    run: journal.Run = verdict.history.runs[0]
    seconds = verdict.history.end - verdict.history.begin
    return {
        "started": words.date(run.time),
        "command": run.command,
        "scenario": run.scenario,
        "title": run.title,
        "host": run.host,
        "speed": verdict.history.speed,
        "rate": run.rate,
        "seed": run.seed,
        "external_dns": run.external_dns,
        "external_dns_binary": run.external_dns_binary,
        "lb_controller": run.lb_controller,
        "lb_controller_binary": run.lb_controller_binary,
        "testbed": run.testbed,
        "machine": run.machine,
        "network": run.network,
        "wall_seconds": round(seconds, 3),
        "production_seconds": round(seconds * verdict.history.speed, 1),
    }


def _phase(phase: Phase, verdict: Verdict, times: Times) -> dict[str, Any]:
    step = phase.step
    known: dict[str, Any] = {"number": 0, "title": "before the first step", "outcome": "passed"}
    if step:
        expectations = [one for one in verdict.history.expectations if one.step == step.number]
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
        "balancers": {name: _share(share) for name, share in phase.by_balancer.items()},
        "protocols": [
            {"balancer": name, "protocol": protocol, **_share(share)}
            for (name, protocol), share in phase.by_protocol.items()
        ],
        "families": [
            {"balancer": name, "family": family, **_outcomes(outcomes)}
            for (name, family), outcomes in phase.by_family.items()
        ],
    }


def _identity(balancer: BalancerIdentity | None) -> dict[str, str]:
    if balancer is None:
        return {}
    return {
        "type": balancer.type,
        "scheme": balancer.scheme,
        "owner": balancer.owner,
        "dns_name": balancer.dns_name,
    }


def _kind(moment: Moment) -> str:
    if moment.balancer in BALANCER_TYPES and moment.kind in _OLD_KINDS:
        return _OLD_KINDS[moment.kind].format(moment.balancer)
    return moment.kind.name.lower()


def _move(move: Move, times: Times) -> dict[str, Any]:
    first, last = _time(move.first_on_new, times), _time(move.last_on_old, times)
    # Testbed 0.1 has the balancers' types in these two keys, and no others.
    old_keys = {f"first_{move.to}_request": first} if move.to in BALANCER_TYPES else {}
    if move.origin in BALANCER_TYPES:
        old_keys[f"last_{move.origin}_request"] = last
    return {
        "title": move.title,
        "name": move.name,
        "from": move.origin,
        "to": move.to,
        "asked": {"text": move.action.text, **_time(move.action.time, times)} if move.action else None,
        "moved": _time(move.time, times),
        **old_keys,
        "first_request": first,
        "last_request": last,
        "gap": _seconds(move.gap, times),
        "drains": [_drain(drain, move, times) for drain in move.drains],
        "clients": [_leaving(one, move, times) for one in move.leavings],
    }


def _drain(drain: Drain, move: Move, times: Times) -> dict[str, Any]:
    return {
        "protocol": drain.protocol,
        "counts": drain.counts,
        "began_with": drain.began_with,
        "opened_later": drain.opened_later,
        "left": drain.left,
        "took": _seconds(drain.empty_at - move.time if drain.empty_at is not None else None, times),
        "ended_by": dict(drain.ended),
        "ages": [_seconds(age, times) for age in drain.ages or ()],
    }


def _leaving(one: Leaving, move: Move, times: Times) -> dict[str, Any]:
    return {
        "model": one.model,
        "connections": one.connections,
        "ended": {cause.name.lower(): count for cause, count in one.ended.items()},
        "left": one.left,
        "took": _seconds(one.last - move.time if one.last is not None else None, times),
        "follows_by_itself": one.follows,
        "extrapolated": list(one.extrapolated),
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
