"""The verdict on a run: pass, fail or inconclusive, and every reason for it, from the journal alone.

fail beats inconclusive beats pass. A pass must be earned: traffic in every step, an account of every
request that agrees with the targets' access logs, a generator that kept its schedule, a run that was played
to its end, and something that was demanded of it. What cannot be known is inconclusive, never a pass.

Requests that are lost only in steps that the machine was too slow for prove nothing against the cutover:
timeouts, divided by the speed, end what a starved machine does not serve in time. They are inconclusive.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from testbed import journal
from testbed.errors import ExitCode
from testbed.rehearsal.ledger import Difference, DifferenceKind, Ledger, Trouble
from testbed.rehearsal.meant import meant
from testbed.rehearsal.moments import Movements, movements
from testbed.rehearsal.phases import Latency, Outcomes, Tally, tally
from testbed.rehearsal.story import Story, Via
from testbed.rehearsal.thresholds import Measured, measure, parse
from testbed.settings import PATIENCE

NAMED = 5
"""Requests that a sentence names; the report lists more."""
DIFFERENCES_KEPT = 200
FEWEST_EXPECTED = 10
"""Steps so short that fewer requests were due prove nothing by having none."""
LEAST_SHARE = 0.5
"""Of the requests that the rate promises a step; fewer is no traffic to judge by."""


class Result(enum.Enum):
    """What the run proves."""

    PASS = "pass"  # noqa: S105 a verdict, no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_code(self) -> ExitCode:
        """What the command line ends with."""
        return ExitCode[self.name]


class Reason(enum.Enum):
    """Why the verdict is what it is; the value is the result that it leads to."""

    REQUEST_FAILED = "fail", "request failed"
    REQUEST_UNKNOWN = "fail", "request without an answer"
    EXPECTATION_FAILED = "fail", "expectation failed"
    STEP_FAILED = "fail", "step failed"
    THRESHOLD_MISSED = "fail", "threshold missed"
    NOT_IN_ACCESS_LOG = "fail", "answered, but in no access log"
    NOT_IN_LEDGER = "fail", "served, but never sent"
    SERVED_DIFFERENTLY = "fail", "ledger and access log differ"
    SERVED_TWICE = "fail", "served more often than sent"
    LEDGER_REPEATS = "fail", "twice in the ledger"
    NO_RUN = "inconclusive", "no run"
    SEVERAL_RUNS = "inconclusive", "several runs"
    NOT_FINISHED = "inconclusive", "run not finished"
    INTERRUPTED = "inconclusive", "run interrupted"
    RUN_ERROR = "inconclusive", "run ended by an error"
    NO_STEPS = "inconclusive", "no steps"
    STEP_NOT_FINISHED = "inconclusive", "step not finished"
    NO_REQUESTS = "inconclusive", "no requests"
    THRESHOLD_UNMEASURED = "inconclusive", "threshold not measured"
    NOTHING_DEMANDED = "inconclusive", "nothing demanded"
    STEP_WITHOUT_TRAFFIC = "inconclusive", "step without traffic"
    NEVER_STARTED = "inconclusive", "requests never started"
    STARTED_LATE = "inconclusive", "requests started late"
    LOST_WHILE_LATE = "inconclusive", "requests lost while the machine was too slow"
    GENERATOR_SILENT = "inconclusive", "no account of the generator"
    OUTCOMES_MISSING = "inconclusive", "requests without an outcome"
    UNKNOWN_BALANCER = "inconclusive", "balancer not known"
    ACCOUNTS_INCOMPLETE = "inconclusive", "accounts incomplete"

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
ACCOUNT = frozenset(
    (*DIFFERENCES.values(), Reason.ACCOUNTS_INCOMPLETE, Reason.NEVER_STARTED, Reason.OUTCOMES_MISSING)
)
"""What makes the account of the requests itself doubtful."""
TORN = frozenset((DifferenceKind.NOT_IN_ACCESS_LOG, DifferenceKind.NOT_IN_LEDGER))
"""Differences that a run which did not end also has when nothing was lost."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason in one sentence, with the ids of the first requests concerned."""

    reason: Reason
    text: str
    requests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that the journal proves.

    Attributes:
        result: pass, fail or inconclusive.
        findings: why, worst first; empty for a pass.
        story: the steps and other single events.
        tally: the counted requests.
        movements: the moves of the alias and what the traffic made of them.
        troubles: the first requests that were not answered ok, and what the target saw.
        differences: the first disagreements of ledger and access logs.
        other_requests: access log lines that are none of the clients': health checks, probes.
        thresholds: each limit that the run was held to, and what was measured.
    """

    result: Result
    findings: tuple[Finding, ...]
    story: Story
    tally: Tally
    movements: Movements
    troubles: tuple[Trouble, ...]
    differences: tuple[Difference, ...]
    other_requests: int
    thresholds: tuple[Measured, ...] = ()

    @property
    def requests(self) -> Outcomes:
        """How all requests ended."""
        return self.tally.all.outcomes

    @property
    def exit_code(self) -> ExitCode:
        """What the command line ends with; an interrupted run ends with 130 whatever its verdict."""
        return self.result.exit_code


def compute(events: Iterable[journal.Event]) -> Verdict:
    """The verdict on the events of one journal, read once and in file order."""
    story, ledger = Story(), Ledger()
    for event in events:
        match event:
            case journal.Request():
                ledger.add_request(event)
            case journal.Access():
                ledger.add_access(event)
            case _:
                story.add(event)
    return judge(story, ledger)


def compute_file(path: Path) -> Verdict:
    """The verdict on a journal file: as `compute(journal.read(path))`, in less than half the time.

    Raises:
        BadInput: no such file, or a line that is no event of this version.
    """
    story, ledger = Story(), Ledger()
    for number, kind, fields in journal.rows(path):
        try:
            if kind == journal.Request.kind:
                ledger.add_request_fields(fields)
            elif kind == journal.Access.kind:
                ledger.add_access_fields(fields)
            else:
                story.add(journal.EVENTS[kind](**fields))
        except (KeyError, TypeError, ValueError, OverflowError):
            raise journal.not_an_event(path, number) from None
    return judge(story, ledger)


def judge(story: Story, ledger: Ledger) -> Verdict:
    """The verdict on everything that was read."""
    if len(ledger):
        story.saw(min(ledger.intended))
        story.saw(max(ledger.finished))
    counted = tally(ledger, story)
    counts: Counter[DifferenceKind] = Counter()
    differences: list[Difference] = []
    for difference in ledger.differences():
        counts[difference.kind] += 1
        if counts[difference.kind] <= DIFFERENCES_KEPT:
            differences.append(difference)
    moved = movements(ledger, story)
    measured = _measured(story, counted, moved)
    findings = [
        *_lost(story, counted, ledger),
        *_expectations(story),
        *_thresholds(measured),
        *_differences(story, counts, differences),
        *_run(story),
        *_demands(story),
        *_traffic(story, counted, ledger),
        *_schedule(story, counted),
        *_balancers(counted),
    ]
    findings.sort(key=lambda finding: finding.reason.result is not Result.FAIL)
    results = {finding.reason.result for finding in findings}
    result = next((one for one in (Result.FAIL, Result.INCONCLUSIVE) if one in results), Result.PASS)
    return Verdict(
        result,
        tuple(findings),
        story,
        counted,
        moved,
        tuple(Trouble(request, ledger.target_says(request.id)) for request in ledger.troubles),
        tuple(differences),
        ledger.of_others,
        measured,
    )


def _measured(story: Story, counted: Tally, moved: Movements) -> tuple[Measured, ...]:
    return tuple(
        measure(parse(event.text), counted, tuple(moved.moves), story.speed) for event in story.thresholds
    )


def _thresholds(measured: Iterable[Measured]) -> Iterator[Finding]:
    for one in measured:
        if one.holds is False:
            yield Finding(Reason.THRESHOLD_MISSED, f"{one.threshold.text} does not hold: {one.seen}")
        elif one.holds is None:
            yield Finding(Reason.THRESHOLD_UNMEASURED, f"{one.threshold.text} was not measured: {one.seen}")


def _lost(story: Story, counted: Tally, ledger: Ledger) -> Iterator[Finding]:
    if story.losses_accepted:
        return
    lost = counted.all.outcomes
    slow = {phase.step.number if phase.step else 0 for phase in counted.phases if _is_late(phase.start_lag)}
    for reason, count, outcome, words in (
        (Reason.REQUEST_FAILED, lost.failed, "failed", "failed"),
        (Reason.REQUEST_UNKNOWN, lost.unknown, "unknown", "ended without an answer"),
    ):
        if not count:
            continue
        ids = [one.id for one in ledger.troubles if one.outcome == outcome]
        losses = [loss for loss in counted.losses if loss.outcome == outcome]
        where = ", ".join(
            f"step {loss.step}: {loss.count} {loss.cause or 'no cause told'}" for loss in losses[:NAMED]
        )
        text = f"{_many(count, 'request')} {words} ({where}); first {_named(ids)}"
        if {loss.step for loss in losses} <= slow:
            reason = Reason.LOST_WHILE_LATE
            text += "; the machine was too slow for these steps, so play them again with less load or speed"
        yield Finding(reason, text, tuple(ids[:NAMED]))


def _expectations(story: Story) -> Iterator[Finding]:
    for one in story.expectations:
        if not one.passed:
            detail = f": {one.detail}" if one.detail else ""
            text = f"step {one.step} expected that {one.text}{detail}"
            yield Finding(Reason.EXPECTATION_FAILED, text)
    for step in story.finished:
        if step.outcome == "failed":
            yield Finding(Reason.STEP_FAILED, f"step {step.number} was given up: it could not go on")


def _differences(
    story: Story, counts: Counter[DifferenceKind], differences: list[Difference]
) -> Iterator[Finding]:
    for kind, count in counts.items():
        first = [one for one in differences if one.kind is kind]
        ids = tuple(one.id for one in first[:NAMED])
        named = _named([one.id for one in first])
        text = f"{_many(count, 'request')} {kind.value}: {named}; the first: {first[0].text}"
        reason = DIFFERENCES[kind]
        if kind in TORN and not story.is_complete:
            reason = Reason.ACCOUNTS_INCOMPLETE
        yield Finding(reason, text, ids)


def _run(story: Story) -> Iterator[Finding]:
    if not story.runs:
        yield Finding(Reason.NO_RUN, "the journal does not tell which run it is of")
    if len(story.runs) > 1:
        yield Finding(
            Reason.SEVERAL_RUNS, f"the journal holds {len(story.runs)} runs, which cannot be told apart"
        )
    if not story.ended:
        yield Finding(Reason.NOT_FINISHED, "the journal ends before the run does")
    for one in story.ended:
        detail = f": {one.detail}" if one.detail else ""
        if one.reason == "interrupted":
            yield Finding(Reason.INTERRUPTED, f"the run was interrupted{detail}")
        elif one.reason != "complete":
            yield Finding(Reason.RUN_ERROR, f"the run ended by {one.reason}{detail}")
    if not story.started:
        yield Finding(Reason.NO_STEPS, "no step was played")
    for step in story.steps():
        if step.outcome not in ("passed", "failed"):
            text = f"step {step.number} ({step.title}) did not finish: {step.outcome}"
            yield Finding(Reason.STEP_NOT_FINISHED, text)


def _demands(story: Story) -> Iterator[Finding]:
    if story.is_complete and not story.expectations and not story.thresholds:
        text = "the scenario waited for nothing and expected nothing, so nothing need have happened"
        yield Finding(Reason.NOTHING_DEMANDED, text)


def _traffic(story: Story, counted: Tally, ledger: Ledger) -> Iterator[Finding]:
    if not len(ledger):
        yield Finding(Reason.NO_REQUESTS, "no request was made")
        return
    rate = story.runs[0].rate if story.runs else 0.0
    intervals = meant(story, ledger)
    for phase in counted.phases:
        if phase.step is None:
            continue
        start, until = phase.step.start, phase.step.until
        due = rate * sum(max(0.0, min(until, end) - max(start, begin)) for begin, end in intervals)
        made = phase.all.outcomes.total
        which = f"step {phase.step.number} ({phase.step.title})"
        if due >= FEWEST_EXPECTED and made < LEAST_SHARE * due:
            yield Finding(Reason.STEP_WITHOUT_TRAFFIC, f"{which} saw {made} of about {due:.0f} requests due")
        elif not made and (
            rate * (until - start) >= FEWEST_EXPECTED or until - start > PATIENCE.traffic_start
        ):
            text = f"{which} saw no request, as the traffic did not run: nobody would have noticed an outage"
            yield Finding(Reason.STEP_WITHOUT_TRAFFIC, text)


def _schedule(story: Story, counted: Tally) -> Iterator[Finding]:
    made = counted.all.outcomes.total
    if not made:
        return
    if not story.traffic:
        text = "the generator gave no account of what it meant to send"
        yield Finding(Reason.GENERATOR_SILENT, text)
    never = sum(event.never_started for event in story.traffic)
    scheduled = sum(event.scheduled for event in story.traffic)
    sent = sum(event.sent for event in story.traffic)
    never = max(never, scheduled - sent)
    if story.traffic and never > 0:
        text = (
            f"{never} of {scheduled} scheduled requests were never started: the generator could not keep up"
        )
        yield Finding(Reason.NEVER_STARTED, text)
    missing = max(sent, sum(event.finished for event in story.traffic)) - made
    if story.traffic and missing > 0:
        text = f"{missing} of {sent} requests were sent and have no outcome in the ledger"
        yield Finding(Reason.OUTCOMES_MISSING, text)
    for phase in counted.phases:
        where = f"in step {phase.step.number}" if phase.step else "before the first step"
        yield from _late(phase.start_lag, where)
    yield from _late(counted.start_lag, "in the whole run")


def _is_late(lag: Latency) -> bool:
    return lag.p99 > PATIENCE.start_lag * 1e6


def _late(lag: Latency, where: str) -> Iterator[Finding]:
    if _is_late(lag):
        text = (
            f"{where}, one request in a hundred started {lag.p99 / 1e3:.0f} ms late or later "
            f"(limit {PATIENCE.start_lag * 1e3:.0f} ms): the generator could not keep its schedule"
        )
        yield Finding(Reason.STARTED_LATE, text)


def _balancers(counted: Tally) -> Iterator[Finding]:
    share = counted.by_balancer.get(Via.UNKNOWN)
    if share and share.outcomes.total:
        text = (
            f"{_many(share.outcomes.total, 'request')} came to a target from an address that is no balancer's"
        )
        yield Finding(Reason.UNKNOWN_BALANCER, text)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _named(ids: list[str]) -> str:
    return ", ".join(ids[:NAMED]) or "not kept"
