"""A wrong pass is the worst bug there is: every way in which a pass must not be given has its line here."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed import journal
from testbed.errors import BadInput, ExitCode
from testbed.journal import Event
from testbed.rehearsal import Cutover
from testbed.rehearsal.ledger import PROBES
from testbed.rehearsal.meant import START, STOP
from testbed.rehearsal.story import Via
from testbed.rehearsal.verdict import Reason, Result, compute, compute_file
from testbed.settings import PATIENCE
from testbed.traffic import probe

Change = Callable[[list[Event]], list[Event]]


@pytest.fixture(scope="module")
def events(made: ModuleType) -> list[Event]:
    found: list[Event] = made.Story(rate=20.0).events()
    return found


def of(kind: type[Event], index: int, **changes: Any) -> Change:
    """Change fields of the event of a kind at an index among its kind."""

    def change(events: list[Event]) -> list[Event]:
        target = [event for event in events if type(event) is kind][index]
        return [dataclasses.replace(event, **changes) if event is target else event for event in events]

    return change


def every(kind: type[Event], **changes: Any) -> Change:
    def change(events: list[Event]) -> list[Event]:
        return [dataclasses.replace(event, **changes) if type(event) is kind else event for event in events]

    return change


def without(kind: type[Event], index: int | None = None) -> Change:
    def change(events: list[Event]) -> list[Event]:
        mine = [event for event in events if type(event) is kind]
        gone = mine if index is None else [mine[index]]
        return [event for event in events if not any(event is one for one in gone)]

    return change


def twice(kind: type[Event], index: int) -> Change:
    def change(events: list[Event]) -> list[Event]:
        return [*events, [event for event in events if type(event) is kind][index]]

    return change


def both(*changes: Change) -> Change:
    def change(events: list[Event]) -> list[Event]:
        for one in changes:
            events = one(events)
        return events

    return change


def added(kind: type[Event], **fields: Any) -> Change:
    def change(events: list[Event]) -> list[Event]:
        return [*events[:2], kind(time=events[1].time, **fields), *events[2:]]

    return change


def until_step(number: int) -> Change:
    """The generator fell silent when a step began, and says nothing of it."""

    def change(events: list[Event]) -> list[Event]:
        begin = start_of(number, events)
        kinds = (journal.Request, journal.Access)
        return settled(
            [event for event in events if not (isinstance(event, kinds) and event.time >= begin - 0.1)]
        )

    return change


def start_of(number: int, events: list[Event]) -> float:
    steps = [event for event in events if isinstance(event, journal.StepStarted)]
    return next(event.time for event in steps if event.number == number)


def settled(events: list[Event]) -> list[Event]:
    """The generator's account of what the ledger holds, and of nothing else."""
    ids = {event.id for event in events if isinstance(event, journal.Request)}
    logged = [event for event in events if not (isinstance(event, journal.Access) and event.id not in ids)]
    served = {event.id for event in logged if isinstance(event, journal.Access)}
    kept = [event for event in logged if not (isinstance(event, journal.Request) and event.id not in served)]
    sent = sum(isinstance(event, journal.Request) for event in kept)
    return every(journal.TrafficStopped, scheduled=sent, sent=sent, finished=sent)(kept)


def from_step(number: int) -> Change:
    """The generator began to send only when a step began."""

    def change(events: list[Event]) -> list[Event]:
        begin = start_of(number, events)
        kinds = (journal.Request, journal.Access)
        kept = [event for event in events if not (isinstance(event, kinds) and event.time < begin + 0.1)]
        return settled(kept)

    return change


def late(seconds: float, share: int) -> Change:
    """Every n-th request starts late."""

    def change(events: list[Event]) -> list[Event]:
        found, number = [], 0
        for event in events:
            if isinstance(event, journal.Request):
                number += 1
                if number % share == 0:
                    event = dataclasses.replace(event, sent=event.sent + seconds, time=event.time + seconds)
            found.append(event)
        return found

    return change


FAIL = {
    "a request failed": (
        of(journal.Request, 70, outcome="failed", status="UNAVAILABLE"),
        Reason.REQUEST_FAILED,
    ),
    "nobody knows how a request ended": (
        of(journal.Request, 70, outcome="unknown", status="", peer="", pod="", listener=""),
        Reason.REQUEST_UNKNOWN,
    ),
    "an outcome that this version does not know": (
        of(journal.Request, 70, outcome="fine"),
        Reason.REQUEST_UNKNOWN,
    ),
    "the last request failed": (of(journal.Request, -1, outcome="failed"), Reason.REQUEST_FAILED),
    "an expectation failed": (of(journal.Expectation, 2, passed=False), Reason.EXPECTATION_FAILED),
    "a step was given up": (of(journal.StepFinished, 3, outcome="failed"), Reason.STEP_FAILED),
    "an answered request is in no access log": (without(journal.Access, 90), Reason.NOT_IN_ACCESS_LOG),
    "no access log at all": (without(journal.Access), Reason.NOT_IN_ACCESS_LOG),
    "access log lines have no ids": (every(journal.Access, id="-"), Reason.NOT_IN_ACCESS_LOG),
    "a target served what the ledger does not hold": (without(journal.Request, 90), Reason.NOT_IN_LEDGER),
    "another pod logged it": (of(journal.Access, 90, pod="envoy-7"), Reason.SERVED_DIFFERENTLY),
    "another listener logged it": (of(journal.Access, 90, listener="other"), Reason.SERVED_DIFFERENTLY),
    "another peer logged it": (of(journal.Access, 90, peer="127.80.11.9"), Reason.SERVED_DIFFERENTLY),
    "the target logged an error for what the client calls ok": (
        every(journal.Access, status=503),
        Reason.SERVED_DIFFERENTLY,
    ),
    "the target logged a gRPC error for what the client calls ok": (
        every(journal.Access, grpc_status="INTERNAL"),
        Reason.SERVED_DIFFERENTLY,
    ),
    "the target logged no gRPC status for what the client calls ok": (
        every(journal.Access, grpc_status=""),
        Reason.SERVED_DIFFERENTLY,
    ),
    "called ok, though its own status says otherwise": (
        every(journal.Request, status="UNAVAILABLE"),
        Reason.SERVED_DIFFERENTLY,
    ),
    "called ok, though client and target agree on an error": (
        both(every(journal.Request, status="503"), every(journal.Access, status=503)),
        Reason.SERVED_DIFFERENTLY,
    ),
    "ok, but no target named itself": (
        of(journal.Request, 90, pod="", peer="", listener=""),
        Reason.SERVED_DIFFERENTLY,
    ),
    "ok, but no target named itself, and none logged it": (
        both(without(journal.Access, 90), of(journal.Request, 90, pod="", peer="", listener="")),
        Reason.NOT_IN_ACCESS_LOG,
    ),
    "a threshold does not hold": (added(journal.Threshold, text="failed > 0"), Reason.THRESHOLD_MISSED),
    "served twice and sent once": (twice(journal.Access, 90), Reason.SERVED_TWICE),
    "the same id twice in the ledger": (twice(journal.Request, 90), Reason.LEDGER_REPEATS),
}

INCONCLUSIVE = {
    "a threshold of what was not measured": (
        both(every(journal.Balancer, addresses=()), added(journal.Threshold, text="alb.p99 < 1s")),
        Reason.THRESHOLD_UNMEASURED,
    ),
    "no request at all": (both(without(journal.Request), without(journal.Access)), Reason.NO_REQUESTS),
    "no step was played": (without(journal.StepStarted), Reason.NO_STEPS),
    "the journal ends early": (without(journal.RunFinished), Reason.NOT_FINISHED),
    "the run was interrupted": (every(journal.RunFinished, reason="interrupted"), Reason.INTERRUPTED),
    "the run ended by an error": (every(journal.RunFinished, reason="error", detail="x"), Reason.RUN_ERROR),
    "the run ended for an unheard reason": (every(journal.RunFinished, reason="done"), Reason.RUN_ERROR),
    "a step has no end": (without(journal.StepFinished, 2), Reason.STEP_NOT_FINISHED),
    "a step was interrupted": (of(journal.StepFinished, 2, outcome="interrupted"), Reason.STEP_NOT_FINISHED),
    "a step has an unheard outcome": (
        of(journal.StepFinished, 2, outcome="skipped"),
        Reason.STEP_NOT_FINISHED,
    ),
    "no run is told": (without(journal.Run), Reason.NO_RUN),
    "two runs in one journal": (twice(journal.Run, 0), Reason.SEVERAL_RUNS),
    "nothing was demanded": (without(journal.Expectation), Reason.NOTHING_DEMANDED),
    "requests were never started": (of(journal.TrafficStopped, 0, never_started=1), Reason.NEVER_STARTED),
    "the account has fewer sent than scheduled": (
        of(journal.TrafficStopped, 0, scheduled=100_000),
        Reason.NEVER_STARTED,
    ),
    "sent requests have no outcome": (
        of(journal.TrafficStopped, 0, scheduled=2_000, sent=2_000, finished=950),
        Reason.OUTCOMES_MISSING,
    ),
    "the generator finished more than the ledger holds": (
        of(journal.TrafficStopped, 0, finished=2_000),
        Reason.OUTCOMES_MISSING,
    ),
    "the generator gave no account": (without(journal.TrafficStopped), Reason.GENERATOR_SILENT),
    "requests started late": (late(PATIENCE.start_lag * 1.2, 50), Reason.STARTED_LATE),
    "a request failed while the machine was too slow": (
        both(of(journal.Request, 70, outcome="failed", status="503"), late(PATIENCE.start_lag * 1.2, 10)),
        Reason.LOST_WHILE_LATE,
    ),
    "a step saw no traffic": (until_step(6), Reason.STEP_WITHOUT_TRAFFIC),
    "the generator ended before it was told to, and says so": (
        both(until_step(6), every(journal.TrafficStopped, time=0.0)),
        Reason.STEP_WITHOUT_TRAFFIC,
    ),
    "the generator began in a later step than the operator": (from_step(2), Reason.STEP_WITHOUT_TRAFFIC),
    "all requests came from where no balancer is": (
        every(journal.Balancer, addresses=()),
        Reason.UNKNOWN_BALANCER,
    ),
    "both balancers claim an address": (
        every(journal.Balancer, addresses=("127.80.10.1", "127.80.10.2", "127.80.11.1", "127.80.11.2")),
        Reason.UNKNOWN_BALANCER,
    ),
}


def test_the_story_without_a_flaw_passes(events: list[Event]) -> None:
    verdict = compute(events)
    assert verdict.result is Result.PASS
    assert verdict.findings == ()
    assert verdict.exit_code == ExitCode.PASS
    assert (
        verdict.requests.total
        == verdict.requests.ok
        == sum(type(event) is journal.Request for event in events)
    )


@pytest.mark.parametrize(("change", "reason"), FAIL.values(), ids=list(FAIL))
def test_it_fails_when(events: list[Event], change: Change, reason: Reason) -> None:
    verdict = compute(change(events))
    assert verdict.result is Result.FAIL
    assert verdict.exit_code == ExitCode.FAIL
    assert reason in {finding.reason for finding in verdict.findings}


@pytest.mark.parametrize(("change", "reason"), INCONCLUSIVE.values(), ids=list(INCONCLUSIVE))
def test_it_is_inconclusive_when(events: list[Event], change: Change, reason: Reason) -> None:
    verdict = compute(change(events))
    assert verdict.result is Result.INCONCLUSIVE
    assert verdict.exit_code == ExitCode.INCONCLUSIVE
    assert reason in {finding.reason for finding in verdict.findings}


@pytest.mark.parametrize("doubt", INCONCLUSIVE.values(), ids=list(INCONCLUSIVE))
def test_a_failed_expectation_beats_every_doubt(
    events: list[Event], doubt: tuple[Change, Reason], made: ModuleType
) -> None:
    failed = journal.Expectation(time=made.EPOCH + 2, step=1, text="it holds", passed=False)
    assert compute([*doubt[0](events), failed]).result is Result.FAIL


def test_every_reason_has_a_case() -> None:
    told = {reason for _, reason in (*FAIL.values(), *INCONCLUSIVE.values())}
    assert set(Reason) - told == {Reason.ACCOUNTS_INCOMPLETE}  # below


@pytest.mark.parametrize("kind", [journal.Access, journal.Request])
def test_an_interrupted_run_may_lack_the_last_lines_of_either_account(
    events: list[Event], kind: type[Event]
) -> None:
    verdict = compute(both(without(kind, -1), every(journal.RunFinished, reason="interrupted"))(events))
    assert verdict.result is Result.INCONCLUSIVE
    assert Reason.ACCOUNTS_INCOMPLETE in {finding.reason for finding in verdict.findings}


def test_a_loss_in_an_interrupted_run_stays_a_failure(events: list[Event]) -> None:
    lost = of(journal.Request, 70, outcome="failed", status="503")
    verdict = compute(both(lost, every(journal.RunFinished, reason="interrupted"))(events))
    assert verdict.result is Result.FAIL
    assert verdict.findings[0].reason is Reason.REQUEST_FAILED


def test_a_loss_in_a_step_that_kept_its_schedule_is_a_failure_whatever_the_other_steps_were(
    events: list[Event],
) -> None:
    begin = start_of(3, events)
    slow = [
        dataclasses.replace(event, sent=event.sent + 1, time=event.time + 1)
        if isinstance(event, journal.Request) and event.intended < begin - 1
        else event
        for event in events
    ]
    verdict = compute(of(journal.Request, -1, outcome="failed", status="503")(slow))
    assert verdict.result is Result.FAIL
    assert Reason.STARTED_LATE in {finding.reason for finding in verdict.findings}


def test_a_request_that_was_sent_again_may_be_served_twice(events: list[Event]) -> None:
    verdict = compute(both(twice(journal.Access, 90), every(journal.Request, retries=1))(events))
    assert verdict.result is Result.PASS


def test_a_step_after_the_operator_stopped_the_traffic_proves_nothing(events: list[Event]) -> None:
    stop = journal.Action(time=start_of(6, events) - 0.1, step=5, text=STOP)
    verdict = compute([*until_step(6)(events), stop])
    assert verdict.result is Result.INCONCLUSIVE
    assert [one.reason for one in verdict.findings] == [Reason.STEP_WITHOUT_TRAFFIC]
    assert "step 6 " in verdict.findings[0].text
    assert "nobody would have noticed" in verdict.findings[0].text


def test_a_step_before_the_traffic_proves_nothing(events: list[Event]) -> None:
    start = journal.Action(time=start_of(2, events) + 0.01, step=2, text="start 100 requests per second")
    verdict = compute([*from_step(2)(events), start])
    assert verdict.result is Result.INCONCLUSIVE
    assert "step 1 " in verdict.findings[0].text


def test_what_start_and_stop_record_is_what_the_verdict_looks_for() -> None:
    source = inspect.getsource(Cutover)
    assert 'f"start {self._rate:g} requests per second"' in source
    assert START.fullmatch(f"start {1500.0:g} requests per second")
    assert f'"{STOP}"' in source


def test_health_checks_and_probes_in_the_access_log_are_only_counted(events: list[Event]) -> None:
    check = next(event for event in events if isinstance(event, journal.Access))
    checks = [dataclasses.replace(check, id=identity, path="/healthz") for identity in ("", "-", "probe-7")]
    verdict = compute([*events, *checks])
    assert verdict.result is Result.PASS
    assert verdict.other_requests == 3


def test_probes_are_known_by_the_ids_that_they_give_themselves() -> None:
    assert probe.REQUEST_ID_PREFIX == PROBES


def test_requests_may_be_lost_only_where_the_scenario_says_why(events: list[Event]) -> None:
    losing = of(journal.Request, 10, outcome="failed", status="UNAVAILABLE")(events)
    accepted = journal.LossesAccepted(time=events[0].time, why="a maintenance window is announced")
    assert compute(losing).result is Result.FAIL
    verdict = compute([*losing[:1], accepted, *losing[1:]])
    assert verdict.result is Result.PASS
    assert verdict.requests.failed == 1


def test_the_sentence_names_the_lost_requests_their_steps_and_causes(events: list[Event]) -> None:
    lost = [
        of(journal.Request, index, outcome="failed", status="UNAVAILABLE", detail="GOAWAY: x")
        for index in (3, 70)
    ]
    verdict = compute(both(*lost)(events))
    named = [event.id for event in events if isinstance(event, journal.Request)]
    finding = verdict.findings[0]
    assert finding.requests == (named[3], named[70])
    assert finding.text.startswith("2 requests failed (step 1: 2 UNAVAILABLE GOAWAY)")
    assert [(loss.step, loss.count) for loss in verdict.tally.losses] == [(1, 2)]


def test_what_the_target_saw_of_an_unknown_request_is_told(events: list[Event]) -> None:
    unanswered = {"outcome": "unknown", "peer": "", "pod": "", "listener": "", "status": "DEADLINE_EXCEEDED"}
    served = compute(of(journal.Request, 70, **unanswered)(events))
    assert "answered 200" in served.troubles[0].target
    request = [event for event in events if isinstance(event, journal.Request)][70]
    unseen = [event for event in events if not (isinstance(event, journal.Access) and event.id == request.id)]
    never = compute(of(journal.Request, 70, **unanswered)(unseen))
    assert never.troubles[0].target == "never reached a target"


def test_requests_belong_to_the_step_in_which_they_were_intended(events: list[Event]) -> None:
    verdict = compute(events)
    by_step = {phase.step.number: phase for phase in verdict.tally.phases if phase.step}
    assert by_step[1].by_balancer[Via.ALB].outcomes.total == 0
    assert by_step[3].by_balancer[Via.ALB].outcomes.total == 0
    for number in (4, 5, 6):
        assert by_step[number].by_balancer[Via.ALB].outcomes.total > 0
        assert by_step[number].by_balancer[Via.NLB].outcomes.total > 0
    starts = [event.time for event in events if isinstance(event, journal.StepStarted)]
    intended = [event.intended for event in events if isinstance(event, journal.Request)]
    assert by_step[2].all.outcomes.total == sum(starts[1] <= time < starts[2] for time in intended)


def test_latency_runs_from_the_intended_start_and_leaves_streams_out(events: list[Event]) -> None:
    requests = [event for event in events if isinstance(event, journal.Request)]
    slowest = max(event.time - event.intended for event in requests)
    assert compute(events).tally.all.latency.max == pytest.approx(slowest * 1e6, rel=0.002)
    assert compute(every(journal.Request, shape="server_stream")(events)).tally.all.latency.count == 0


def test_counts_add_up(events: list[Event]) -> None:
    counted = compute(events).tally
    total = counted.all.outcomes.total
    assert sum(share.outcomes.total for share in counted.by_balancer.values()) == total
    assert sum(share.outcomes.total for share in counted.by_protocol.values()) == total
    assert sum(phase.all.outcomes.total for phase in counted.phases) == total
    line = counted.timeline
    assert sum(map(sum, line.ok.values())) + sum(line.lost) == total


def test_a_file_gives_the_same_verdict_as_its_events(
    events: list[Event], made: ModuleType, tmp_path: Path
) -> None:
    changed = of(journal.Request, 70, outcome="failed", retries=2)(twice(journal.Access, 90)(events))
    path = made.write(tmp_path / "journal.ndjson", changed)
    from_file, from_events = compute_file(path), compute(journal.read(path))
    assert from_file.findings == from_events.findings
    assert from_file.tally == from_events.tally
    assert from_file.movements == from_events.movements


@pytest.mark.parametrize(
    "line",
    [
        b'{"event":"request","time":1,"id":"a"}\n',
        b'{"event":"access"}\n',
        b'{"event":"request","time":"now","id":"a","client":"","protocol":"grpc","method":"","shape":"","intended":1,'
        b'"sent":1,"address":"","peer":"","pod":"","listener":"","status":"","outcome":"ok"}\n',
        b'{"event":"log","time":null,"component":"","level":"","message":"","line":""}\n',
        b'{"event":"unheard","time":1}\n',
        b"[]\n",
    ],
)
def test_a_line_that_is_no_event_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "journal.ndjson"
    path.write_bytes(line)
    with pytest.raises(BadInput, match=r"journal\.ndjson:1"):
        compute_file(path)


@given(length=st.integers(0, 4000))
@settings(max_examples=25, deadline=None)
def test_no_prefix_of_a_journal_passes(length: int, events: list[Event]) -> None:
    verdict = compute(events[: min(length, len(events) - 1)])
    assert verdict.result is Result.INCONCLUSIVE


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_losing_any_request_or_access_line_is_no_pass(data: st.DataObject, events: list[Event]) -> None:
    indices = [
        index for index, event in enumerate(events) if isinstance(event, journal.Request | journal.Access)
    ]
    gone = data.draw(st.sampled_from(indices))
    assert compute(events[:gone] + events[gone + 1 :]).result is Result.FAIL
