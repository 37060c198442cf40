"""A wrong pass is the worst bug there is: each way in which a pass must not be given has its line here."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest

from testbed import journal
from testbed.errors import ExitCode
from testbed.journal import Event
from testbed.settings import PATIENCE
from testbed.verdict.findings import Reason, Result
from testbed.verdict.verdict import compute
from tests.verdict.journal_changes import (
    Change,
    absent,
    absent_everywhere,
    added,
    both,
    every,
    from_step,
    held,
    late,
    nothing_due,
    of,
    settled,
    slept,
    start_of,
    twice,
    until_step,
    without,
)

QUIET = 1_700_000_000.0 + 6.0
"""Wall time: the second step has begun, and one balancer serves everything."""

PARTED = tuple(
    {
        "Action": "CREATE",
        "ResourceRecordSet": {"Name": "a.b.", "Type": kind, "AliasTarget": {"DNSName": target}},
    }
    for kind, target in (("A", "nlb.example.org"), ("AAAA", "alb.example.org"))
)
FAIL = {
    "A and AAAA of a name lead to two balancers": (
        added(journal.DnsChange, zone="b", changes=PARTED),
        Reason.FAMILIES_PARTED,
    ),
    "a request failed": (
        of(journal.Request, 70, outcome="failed", status="UNAVAILABLE"),
        Reason.REQUEST_FAILED,
    ),
    "it is unknown how a request ended": (
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
    "no request was answered for a minute, and all were later": (held(QUIET, 1.2), Reason.STALLED),
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
    "the journal has no run": (without(journal.Run), Reason.NO_RUN),
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
    "the generator slept for a minute": (slept(QUIET, 1.2), Reason.STARTED_LATE),
    "no request was due for a minute": (nothing_due(QUIET, 1.2), Reason.OUTAGE_UNSEEN),
    "49 % of what was due in a step is absent": (absent(3, 49), Reason.STEP_WITHOUT_TRAFFIC),
    "the main process stood still": (
        lambda events: [*events, journal.Standstill(time=events[-1].time, start=events[-1].time - 2)],
        Reason.STOOD_STILL,
    ),
    "a request failed while the machine was too slow": (
        both(of(journal.Request, 70, outcome="failed", status="503"), late(PATIENCE.start_lag * 1.2, 10)),
        Reason.LOST_WHILE_LATE,
    ),
    "a step saw no traffic": (until_step(6), Reason.STEP_WITHOUT_TRAFFIC),
    "the generator ended before the operator stopped it, and says so": (
        both(until_step(6), every(journal.TrafficStopped, time=0.0)),
        Reason.STEP_WITHOUT_TRAFFIC,
    ),
    "the generator began in a later step than the operator": (from_step(2), Reason.STEP_WITHOUT_TRAFFIC),
    "all requests came from where no balancer is": (
        every(journal.Balancer, addresses=()),
        Reason.UNKNOWN_BALANCER,
    ),
    "the requests are not those of the run": (of(journal.Run, 0, id="another"), Reason.OTHER_RUN),
    "an Envoy refused a listener": (
        lambda events: [
            *events[:-1],
            journal.Log(
                time=events[-1].time, component="nlb-envoy", level="error", message="refused", line="taken"
            ),
            events[-1],
        ],
        Reason.PART_FAILED,
    ),
    "both balancers claim an address": (
        every(journal.Balancer, addresses=("127.80.10.1", "127.80.10.2", "127.80.11.1", "127.80.11.2")),
        Reason.UNKNOWN_BALANCER,
    ),
}


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
    covered = {reason for _, reason in (*FAIL.values(), *INCONCLUSIVE.values())}
    assert set(Reason) - covered == {Reason.ACCOUNTS_INCOMPLETE}  # below


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
    assert verdict.findings[0].reason is Reason.REQUEST_FAILED


def test_a_client_that_cannot_connect_any_more_is_a_failure_on_a_slow_machine_too(
    events: list[Event],
) -> None:
    slow = late(PATIENCE.start_lag * 1.2, 10)(events)
    begin = start_of(6, events)
    gone = [
        dataclasses.replace(
            event,
            outcome="failed", status="", pod="", peer="", listener="",
            detail="cannot connect: 127.80.10.1:8443: refused",
        )
        if isinstance(event, journal.Request) and event.protocol == "rest" and event.intended > begin
        else event
        for event in slow
    ]  # fmt: skip
    verdict = compute(gone)
    assert verdict.result is Result.FAIL
    assert verdict.findings[0].reason is Reason.REQUEST_FAILED
    assert " could not connect for up to " in verdict.findings[0].text


@pytest.mark.parametrize("families", [("ipv6", "ipv6"), ("ipv6", "ipv4")])
def test_losses_of_one_family_are_named_so(events: list[Event], families: tuple[str, str]) -> None:
    changes = [
        of(journal.Request, at, outcome="unknown", status="", pod="", family=family)
        for at, family in zip((-1, -2), families, strict=True)
    ]
    text = compute(both(*changes)(events)).findings[0].text
    assert text.endswith("; all of them by IPv6") is (families == ("ipv6", "ipv6"))


def test_a_lag_that_hides_no_outage_is_no_reason(events: list[Event]) -> None:
    verdict = compute(late(PATIENCE.start_lag * 4, 3)(events))
    assert verdict.tally.start_lag.p90 > PATIENCE.start_lag * 1e6
    assert verdict.findings == ()


def test_a_request_that_was_sent_again_may_be_served_twice(events: list[Event]) -> None:
    verdict = compute(both(twice(journal.Access, 90), every(journal.Request, retries=1))(events))
    assert verdict.result is Result.PASS


def test_a_step_after_the_operator_stopped_the_traffic_proves_nothing(events: list[Event]) -> None:
    stop = journal.TrafficStopRequested(time=start_of(6, events) - 0.1, step=5)
    verdict = compute([*until_step(6)(events), stop])
    assert verdict.result is Result.INCONCLUSIVE
    assert [one.reason for one in verdict.findings] == [Reason.STEP_WITHOUT_TRAFFIC]
    assert "step 6 " in verdict.findings[0].text
    assert "an outage would go unnoticed" in verdict.findings[0].text


def stopped(at: float, events: list[Event]) -> list[Event]:
    """The operator stopped the traffic at a moment."""
    kept = [
        event
        for event in events
        if not (isinstance(event, journal.Request) and event.intended >= at)
        and not (isinstance(event, journal.Connection) and event.time >= at)
    ]
    return [*settled(kept), journal.TrafficStopRequested(time=at, step=6)]


def test_a_step_that_goes_on_after_its_traffic_stopped_proves_nothing(events: list[Event]) -> None:
    verdict = compute(stopped(start_of(6, events) + 2.0, events))
    assert verdict.result is Result.INCONCLUSIVE
    (finding,) = verdict.findings
    assert finding.reason is Reason.STEP_WITHOUT_TRAFFIC
    assert "step 6 " in finding.text
    assert "went on for 120 s of production time (2.00 s) after its traffic had stopped" in finding.text


def test_a_step_that_acts_after_its_traffic_stopped_proves_nothing(events: list[Event]) -> None:
    deletes = next(event.time for event in events if getattr(event, "text", "") == "delete service/envoy")
    verdict = compute(stopped(deletes - 0.1, events))
    assert [one.reason for one in verdict.findings] == [Reason.STEP_WITHOUT_TRAFFIC]
    assert "acted, or had its records changed, after its traffic had stopped" in verdict.findings[0].text


def test_the_wait_for_what_is_in_flight_when_the_traffic_stops_is_not_without_traffic(
    events: list[Event],
) -> None:
    at = next(event.time for event in events if isinstance(event, journal.RunFinished)) - 1.5
    acts = journal.Action | journal.Balancer
    kept = [event for event in stopped(at, events) if not (isinstance(event, acts) and event.time > at)]
    assert compute(kept).result is Result.INCONCLUSIVE
    assert compute(of(journal.Request, -1, time=at + 0.7)(kept)).result is Result.PASS


def test_traffic_that_stops_in_the_end_with_nothing_left_to_do_is_enough(events: list[Event]) -> None:
    deletes = next(event.time for event in events if getattr(event, "text", "") == "delete service/envoy")
    assert compute(stopped(deletes + 0.1, events)).result is Result.PASS


def test_a_step_before_the_traffic_proves_nothing(events: list[Event]) -> None:
    start = journal.TrafficStarted(time=start_of(2, events) + 0.01, step=2, rate=20.0)
    verdict = compute([*without(journal.TrafficStarted)(from_step(2)(events)), start])
    assert verdict.result is Result.INCONCLUSIVE
    assert "step 1 " in verdict.findings[0].text


def test_sentences_of_the_operator_that_look_like_a_stop_are_no_stop(events: list[Event]) -> None:
    stop = journal.Action(time=start_of(6, events) - 0.1, step=5, text="stop the traffic")
    verdict = compute([*until_step(6)(events), stop])
    assert "step 6 " in verdict.findings[0].text
    assert "requests that were due" in verdict.findings[0].text


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


def test_requests_that_are_absent_from_each_of_many_short_steps_are_missed_in_all(made: ModuleType) -> None:
    verdict = compute(absent_everywhere(25)(made.Story(rate=20.0, seconds=2.0).events()))
    assert verdict.result is Result.INCONCLUSIVE
    assert verdict.findings[0].text.startswith("all steps together saw ")
