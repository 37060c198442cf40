"""What a verdict says of outages: those it saw, those it could have missed, and how long ones it excludes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from testbed import journal
from testbed.balancer_identity import phrase
from testbed.settings import shortest_stall
from testbed.verdict.answer_gaps import AnswerGaps, Cause, Stall, Unseen
from testbed.verdict.history import History
from testbed.verdict.standstills import standstills

CLOCKS = (
    "Latencies are wall time: answering does not get slower with the speed of the run. Gaps and stalls are "
    "production time, and a stall lasts at least a second of wall time."
)
"""For every report."""


def lasted(seconds: float, speed: float) -> str:
    """Write wall seconds as production time and wall time: `96 s of production time (1.60 s)`."""
    production = seconds * speed
    shown = f"{production:.0f} s" if production >= 10 else f"{production:.1f} s"
    return f"{shown} of production time ({seconds:.2f} s)"


def stalled(stall: Stall, history: History) -> str:
    """Say what a stall was."""
    where = f"{stall.part}, through {phrase(stall.balancer)}," if stall.part else phrase(stall.balancer)
    waiting = f"{stall.waiting:,} {'request was' if stall.waiting == 1 else 'requests were'}"
    return (
        f"{where} answered nothing for {lasted(stall.end - stall.start, history.speed)} from "
        f"{_at(stall.start, history)} on, though {waiting} due"
    )


def stood_still(history: History) -> Iterator[str]:
    """Say of each time when the main process did not run."""
    for start, end in standstills(history):
        yield (
            f"the main process of the testbed did not run for {lasted(end - start, history.speed)} from "
            f"{_at(start, history)} on: its DNS, controllers and story stood still, so what happened then "
            "proves nothing; rehearse again"
        )


ADVICE = {
    Cause.THIN: "too few requests were due, so rehearse again at a higher rate or a lower speed",
    Cause.LATE: "the generator started its requests late, so rehearse again at a lower rate or speed",
    Cause.SHORT: "let the traffic run for longer",
    Cause.SHARED: "in each step in which it has weight, wait until it serves, or hold for longer",
}


def unseen(gaps: Iterable[Unseen], history: History, limit: float) -> Iterator[tuple[Cause, str]]:
    """Say of each balancer where an outage would not have shown, and why."""
    by_balancer: dict[tuple[str, Cause], list[Unseen]] = {}
    for gap in gaps:
        by_balancer.setdefault((gap.balancer, gap.cause), []).append(gap)
    for (balancer, cause), mine in by_balancer.items():
        longest = max(mine, key=lambda one: one.end - one.start)
        length = lasted(longest.end - longest.start, history.speed)
        how_long = f"{length} from {_at(longest.start, history)} on"
        name, many = phrase(balancer), len(mine) > 1
        if cause is Cause.SHORT:
            more = f", the longest of {len(mine)} such times" if many else ""
            what = f"requests went to {name} for no more than {how_long}{more}"
        elif cause is Cause.SHARED:
            more = f", the longest of {len(mine)} such steps" if many else ""
            what = f"{name} had weight in a step, and gave no answer for {how_long}{more}"
        else:
            more = f", the longest of {len(mine)} such gaps" if many else ""
            what = f"{name} gave no answer for {how_long}{more}"
        yield (
            cause,
            f"{what}, and an outage of {lasted(limit, history.speed)} must show: {ADVICE[cause]}",
        )


def lowered(event: journal.RateLowered, speed: float) -> str:
    """Say that a run lowered its rate, and which outage still shows."""
    return (
        f"Other programs kept {event.others:.1f} of {event.cores} cores busy at the start, so the run sends "
        f"{event.rate:g} requests per second, not {event.asked:g}; an outage of "
        f"{lasted(shortest_stall(speed), speed)} still shows."
    )


def excluded(gaps: AnswerGaps, history: History) -> str:
    """Say which outage the run excludes at each balancer in use, and whether it lowered its rate for that."""
    rates = " ".join(lowered(event, history.speed) for event in history.rates_lowered)
    return " ".join(filter(None, (_excluded(gaps, history), rates)))


def _excluded(gaps: AnswerGaps, history: History) -> str:
    if not gaps.longest:
        return ""
    each = [f"{lasted(seconds, history.speed)} at {phrase(name)}" for name, seconds in gaps.longest.items()]
    return f"No gap between answers was longer than {_and(each)}: a longer outage would have shown."


def _at(time: float, history: History) -> str:
    seconds = max(0, round((time - history.begin) * history.speed))
    return f"{seconds // 60}:{seconds % 60:02d}"


def _and(texts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))
