"""Why a run does not pass: findings, each with its reason and one sentence.

A reason leads to one result: `fail` is proof that something went wrong, `inconclusive` is lack of proof that
all went well. A run without findings passes.
"""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from testbed import journal
from testbed.balancer_identity import UNKNOWN
from testbed.errors import ExitCode
from testbed.settings import PATIENCE
from testbed.verdict import outage_findings
from testbed.verdict.answer_gaps import AnswerGaps, Cause
from testbed.verdict.foreign_requests import foreign_requests
from testbed.verdict.history import History, Step
from testbed.verdict.lasting_losses import in_words, lasting_losses
from testbed.verdict.part_errors import part_errors
from testbed.verdict.parted_names import parted_texts
from testbed.verdict.phases import Latency, Tally
from testbed.verdict.reconciliation import Difference, DifferenceKind, Ledger
from testbed.verdict.standstills import all_lost_then, is_within, standstills
from testbed.verdict.thresholds import Measured
from testbed.verdict.traffic_windows import TrafficWindow

NAMED = 5
"""How many request ids a sentence lists; the report lists more."""
FEWEST_EXPECTED = 10
"""A step in which fewer requests are due may have none by chance."""
LEAST_SHARE = 0.5
"""Of the requests that are due in a step; with fewer there is not enough traffic to judge by."""
CHANCE = 4.0
"""Standard deviations by which the requests of a step may be fewer than due: the schedule is a Poisson
process, so of `n` that are due on average, less than `n - 4 √n` come once in thirty thousand steps."""


class Result(enum.Enum):
    """The result of a run."""

    PASS = "pass"  # noqa: S105 a verdict, no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the command line."""
        return ExitCode[self.name]


class Reason(enum.Enum):
    """Why a run does not pass. The value is the result that the reason leads to, and a title."""

    REQUEST_FAILED = "fail", "request failed"
    REQUEST_UNKNOWN = "fail", "request without an answer"
    EXPECTATION_FAILED = "fail", "expectation failed"
    STEP_FAILED = "fail", "step failed"
    THRESHOLD_MISSED = "fail", "threshold missed"
    STALLED = "fail", "outage"
    FAMILIES_PARTED = "fail", "IPv4 and IPv6 clients part"
    NOT_IN_ACCESS_LOG = "fail", "answered, but in no access log"
    NOT_IN_LEDGER = "fail", "served, but never sent"
    SERVED_DIFFERENTLY = "fail", "ledger and access log differ"
    SERVED_TWICE = "fail", "served more often than sent"
    LEDGER_REPEATS = "fail", "twice in the ledger"
    NO_RUN = "inconclusive", "no run"
    SEVERAL_RUNS = "inconclusive", "several runs"
    OTHER_RUN = "inconclusive", "requests of another run"
    NOT_FINISHED = "inconclusive", "run not finished"
    INTERRUPTED = "inconclusive", "run interrupted"
    RUN_ERROR = "inconclusive", "run ended with an error"
    NO_STEPS = "inconclusive", "no steps"
    STEP_NOT_FINISHED = "inconclusive", "step not finished"
    NO_REQUESTS = "inconclusive", "no requests"
    THRESHOLD_UNMEASURED = "inconclusive", "threshold not measured"
    NOTHING_DEMANDED = "inconclusive", "nothing expected"
    STEP_WITHOUT_TRAFFIC = "inconclusive", "step without traffic"
    NEVER_STARTED = "inconclusive", "requests never started"
    OUTAGE_UNSEEN = "inconclusive", "an outage would not have shown"
    STARTED_LATE = "inconclusive", "requests started late"
    STOOD_STILL = "inconclusive", "the testbed stood still"
    LOST_WHILE_LATE = "inconclusive", "requests lost while the machine was too slow"
    GENERATOR_SILENT = "inconclusive", "no report from the generator"
    OUTCOMES_MISSING = "inconclusive", "requests without an outcome"
    PART_FAILED = "inconclusive", "a part of the testbed failed"
    UNKNOWN_BALANCER = "inconclusive", "unknown balancer"
    ACCOUNTS_INCOMPLETE = "inconclusive", "records incomplete"

    @property
    def result(self) -> Result:
        """The result that this reason leads to."""
        return Result(self.value[0])

    @property
    def title(self) -> str:
        """The reason in a few words."""
        return self.value[1]


DIFFERENCES = {
    DifferenceKind.NOT_IN_ACCESS_LOG: Reason.NOT_IN_ACCESS_LOG,
    DifferenceKind.NOT_IN_LEDGER: Reason.NOT_IN_LEDGER,
    DifferenceKind.SERVED_DIFFERENTLY: Reason.SERVED_DIFFERENTLY,
    DifferenceKind.SERVED_TWICE: Reason.SERVED_TWICE,
    DifferenceKind.LEDGER_REPEATS: Reason.LEDGER_REPEATS,
}
OF_TRAFFIC = frozenset(
    (
        *DIFFERENCES.values(),
        Reason.ACCOUNTS_INCOMPLETE,
        Reason.NEVER_STARTED,
        Reason.OUTCOMES_MISSING,
        Reason.GENERATOR_SILENT,
        Reason.NO_REQUESTS,
        Reason.PART_FAILED,
        Reason.UNKNOWN_BALANCER,
        Reason.NO_RUN,
        Reason.OTHER_RUN,
        Reason.SEVERAL_RUNS,
        Reason.STOOD_STILL,
    )
)
"""Reasons to doubt all requests of a run, whenever they were sent and whatever steps it had."""
TORN = frozenset((DifferenceKind.NOT_IN_ACCESS_LOG, DifferenceKind.NOT_IN_LEDGER))
"""Differences that an interrupted run has even if no request was lost."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason in one sentence, with the ids of the first requests concerned."""

    reason: Reason
    text: str
    requests: tuple[str, ...] = ()


def findings(
    history: History,
    ledger: Ledger,
    counted: Tally,
    measured: Iterable[Measured],
    counts: Counter[DifferenceKind],
    differences: list[Difference],
    gaps: AnswerGaps,
    windows: Sequence[TrafficWindow],
) -> tuple[Finding, ...]:
    """Return everything that keeps a run from passing, failures first.

    Args:
        history: the single events of the run.
        ledger: its requests.
        counted: the counts of the requests.
        measured: the thresholds and what the run measured.
        counts: how many differences of each kind there are between the ledger and the access logs.
        differences: the first of each kind.
        gaps: the intervals without an answer.
        windows: when requests were due.
    """
    reasons = [
        *_lost(history, counted, ledger),
        *_stalls(history, gaps),
        *(Finding(Reason.STOOD_STILL, text) for text in outage_findings.stood_still(history)),
        *_expectations(history),
        *_thresholds(measured, history),
        *(Finding(Reason.FAMILIES_PARTED, text) for text in parted_texts(history, counted)),
        *_differences(history, counts, differences),
        *_run(history),
        *_demands(history),
        *_traffic(history, counted, ledger, windows, gaps.limit),
        *_unseen(history, gaps),
        *_schedule(history, counted),
        *_balancers(counted),
        *(
            Finding(
                Reason.OTHER_RUN,
                f"{_many(count, 'request')} in the journal are of another run, {run or 'without an id'}: two "
                "runs wrote into it",
            )
            for run, count in foreign_requests(history, ledger).items()
        ),
        *(Finding(Reason.PART_FAILED, text) for text in part_errors(history)),
    ]
    # A stable sort: the first failure is the headline, so their own order counts.
    reasons.sort(key=lambda finding: finding.reason.result is not Result.FAIL)
    return tuple(reasons)


def _thresholds(measured: Iterable[Measured], history: History) -> Iterator[Finding]:
    # A threshold measures the whole run, the requests that waited for a process that stood still among them.
    missed = Reason.STOOD_STILL if history.standstills else Reason.THRESHOLD_MISSED
    for limit in measured:
        if limit.holds is False:
            yield Finding(missed, f"{limit.threshold.text} is not met: {limit.seen}")
        elif limit.holds is None:
            yield Finding(
                Reason.THRESHOLD_UNMEASURED, f"{limit.threshold.text} was not measured: {limit.seen}"
            )


def _lost(history: History, counted: Tally, ledger: Ledger) -> Iterator[Finding]:
    if history.losses_accepted:
        return
    lost = counted.all.outcomes
    slow = {phase.step.number if phase.step else 0 for phase in counted.phases if _is_late(phase.start_lag)}
    kinds: tuple[tuple[Reason, int, journal.Outcome, str], ...] = (
        (Reason.REQUEST_FAILED, lost.failed, "failed", "failed"),
        (Reason.REQUEST_UNKNOWN, lost.unknown, "unknown", "ended without an answer"),
    )
    for reason, count, outcome, words in kinds:
        if not count:
            continue
        ids = [request.id for request in ledger.troubles if request.outcome == outcome]
        losses = [loss for loss in counted.losses if loss.outcome == outcome]
        where = ", ".join(
            f"step {loss.step}: {loss.count} {loss.cause or 'cause unknown'}" for loss in losses[:NAMED]
        )
        text = f"{_many(count, 'request')} {words} ({where}); the first: {_named(ids)}"
        if not any(
            getattr(own, outcome) for (_, family), own in counted.by_family.items() if family != "ipv6"
        ):
            text += "; all of them by IPv6"
        # Only if every loss is in such a step: one loss in a step that kept its schedule is proof against the
        # cutover.
        if reason is Reason.REQUEST_FAILED and (lasting := lasting_losses(ledger)):
            text += f"; {in_words(lasting, history.speed)}"
        elif {loss.step for loss in losses} <= slow:
            reason = Reason.LOST_WHILE_LATE
            text += "; the machine was too slow in these steps, so rehearse again at a lower rate or speed"
        elif all_lost_then(ledger, outcome, standstills(history)):
            reason = Reason.LOST_WHILE_LATE
            text += "; the testbed's main process stood still meanwhile"
        yield Finding(reason, text, tuple(ids[:NAMED]))


def _expectations(history: History) -> Iterator[Finding]:
    still = standstills(history)
    begins = {step.number: step.start for step in history.steps()}
    # What a step waited for may be late, or wrong, because of a standstill in the same step.
    doubted = {
        one.step for one in history.expectations if is_within(begins.get(one.step, one.time), one.time, still)
    }
    for expectation in history.expectations:
        if not expectation.passed:
            detail = f": {expectation.detail}" if expectation.detail else ""
            text = f"step {expectation.step} expected that {expectation.text}{detail}"
            is_doubted = expectation.step in doubted
            yield Finding(Reason.STOOD_STILL if is_doubted else Reason.EXPECTATION_FAILED, text)
    for step in history.finished:
        if step.outcome == "failed":
            text = f"step {step.number} ended early, because it could not continue"
            yield Finding(Reason.STOOD_STILL if step.number in doubted else Reason.STEP_FAILED, text)


def _differences(
    history: History, counts: Counter[DifferenceKind], differences: list[Difference]
) -> Iterator[Finding]:
    for kind, count in counts.items():
        first = [difference for difference in differences if difference.kind is kind]
        ids = tuple(difference.id for difference in first[:NAMED])
        named = _named([difference.id for difference in first])
        text = f"{_many(count, 'request')} {kind.value}: {named}; the first: {first[0].text}"
        reason = DIFFERENCES[kind]
        # An interrupted run loses the last lines of one file or the other, without any loss of requests.
        if kind in TORN and not history.is_complete:
            reason = Reason.ACCOUNTS_INCOMPLETE
        yield Finding(reason, text, ids)


def _run(history: History) -> Iterator[Finding]:
    if not history.runs:
        yield Finding(Reason.NO_RUN, "the journal does not say which run it belongs to")
    if len(history.runs) > 1:
        yield Finding(
            Reason.SEVERAL_RUNS, f"the journal holds {len(history.runs)} runs, which cannot be separated"
        )
    if not history.ended:
        yield Finding(Reason.NOT_FINISHED, "the journal ends before the run does")
    for end in history.ended:
        detail = f": {end.detail}" if end.detail else ""
        if end.reason == "interrupted":
            yield Finding(Reason.INTERRUPTED, f"the run was interrupted{detail}")
        elif end.reason != "complete":
            how = "with an error" if end.reason == "error" else f"for an unknown reason, {end.reason!r}"
            yield Finding(Reason.RUN_ERROR, f"the run ended {how}{detail}")
    if not history.started:
        yield Finding(Reason.NO_STEPS, "no step was played")
    for step in history.steps():
        if step.outcome not in ("passed", "failed"):
            text = f"step {step.number} ({step.title}) did not finish: {step.outcome}"
            yield Finding(Reason.STEP_NOT_FINISHED, text)


def _demands(history: History) -> Iterator[Finding]:
    if history.is_complete and not history.expectations and not history.thresholds:
        text = "the scenario has no condition and no threshold, so a pass would prove nothing"
        yield Finding(Reason.NOTHING_DEMANDED, text)


def _stalls(history: History, gaps: AnswerGaps) -> Iterator[Finding]:
    for stall in gaps.stalls:
        yield Finding(Reason.STALLED, outage_findings.stalled(stall, history))


def _unseen(history: History, gaps: AnswerGaps) -> Iterator[Finding]:
    for cause, text in outage_findings.unseen(gaps.unseen, history, gaps.limit):
        yield Finding(Reason.STARTED_LATE if cause is Cause.LATE else Reason.OUTAGE_UNSEEN, text)


def _traffic(
    history: History, counted: Tally, ledger: Ledger, windows: Sequence[TrafficWindow], limit: float
) -> Iterator[Finding]:
    if not len(ledger):
        yield Finding(Reason.NO_REQUESTS, "no request was sent")
        return
    due_in_all, sent_in_all, is_told = 0.0, 0, False
    for phase in counted.phases:
        if phase.step is None:
            continue
        start, until = phase.step.start, phase.step.until
        due = sum(window.due(start, until) for window in windows)
        sent = phase.all.outcomes.total
        which = f"step {phase.step.number} ({phase.step.title})"
        due_in_all, sent_in_all = due_in_all + due, sent_in_all + sent
        if _are_too_few(sent, due):
            is_told = True
            yield Finding(
                Reason.STEP_WITHOUT_TRAFFIC, f"{which} saw {sent} of about {due:.0f} requests that were due"
            )
        elif not sent and (
            history.rate * (until - start) >= FEWEST_EXPECTED or until - start > PATIENCE.traffic_start
        ):
            text = f"{which} saw no request, because no traffic was running: an outage would go unnoticed"
            yield Finding(Reason.STEP_WITHOUT_TRAFFIC, text)
        elif how := _went_on(history, ledger, phase.step, windows, limit):
            text = f"{which} {how} after its traffic had stopped: an outage would go unnoticed"
            yield Finding(Reason.STEP_WITHOUT_TRAFFIC, text)
    # What chance may leave out of each of many short steps, it does not leave out of all of them.
    if not is_told and _are_too_few(sent_in_all, due_in_all):
        text = f"all steps together saw {sent_in_all} of about {due_in_all:.0f} requests that were due"
        yield Finding(Reason.STEP_WITHOUT_TRAFFIC, text)


def _went_on(
    history: History, ledger: Ledger, step: Step, windows: Sequence[TrafficWindow], limit: float
) -> str:
    """Say how a step went on without traffic, if that could hide an outage; "" if it could not."""
    starts = [*(window.start for window in windows[1:]), math.inf]
    for window, next_start in zip(windows, starts, strict=True):
        start = max(window.end, step.start)
        end = min(next_start, step.until if step.end is None else step.end)
        if start >= end:
            continue
        # The operator's stop waits for what is in flight, streams among it.
        in_flight = (
            finished
            for intended, finished in zip(ledger.intended, ledger.finished, strict=True)
            if intended <= window.end
        )
        alone = end - max(start, *in_flight, start)
        if alone >= limit:
            return f"went on for {outage_findings.lasted(alone, history.speed)}"
        acts = (*history.actions, *history.commands, *history.dns_changes)
        if any(start <= act.time < end for act in acts):
            return "acted, or had its records changed,"
    return ""


def _are_too_few(sent: int, due: float) -> bool:
    return due >= FEWEST_EXPECTED and sent < max(due - CHANCE * due**0.5, LEAST_SHARE * due)


def _schedule(history: History, counted: Tally) -> Iterator[Finding]:
    ended = counted.all.outcomes.total
    if not ended:
        return
    if not history.traffic:
        text = "the traffic generator did not report how many requests it sent"
        yield Finding(Reason.GENERATOR_SILENT, text)
    never = sum(event.never_started for event in history.traffic)
    scheduled = sum(event.scheduled for event in history.traffic)
    sent = sum(event.sent for event in history.traffic)
    # The generator may have ended before it could count them itself.
    never = max(never, scheduled - sent)
    if history.traffic and never > 0:
        text = (
            f"{never} of {scheduled} scheduled requests were never started: the generator could not keep up"
        )
        yield Finding(Reason.NEVER_STARTED, text)
    missing = max(sent, sum(event.finished for event in history.traffic)) - ended
    if history.traffic and missing > 0:
        text = f"{missing} of {sent} sent requests have no outcome in the ledger"
        yield Finding(Reason.OUTCOMES_MISSING, text)


def _is_late(lag: Latency) -> bool:
    return lag.p99 > PATIENCE.start_lag * 1e6


def _balancers(counted: Tally) -> Iterator[Finding]:
    share = counted.by_balancer.get(UNKNOWN)
    if share and share.outcomes.total:
        many = _many(share.outcomes.total, "request")
        text = f"{many} reached a target from an address that identifies no balancer"
        yield Finding(Reason.UNKNOWN_BALANCER, text)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _named(ids: list[str]) -> str:
    return ", ".join(ids[:NAMED]) or "not kept"
