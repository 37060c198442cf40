"""The verdict on a journal, whole or in part, from a file or from its events."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed import journal
from testbed.errors import BadInput, ExitCode
from testbed.journal import Event
from testbed.verdict.findings import Result
from testbed.verdict.verdict import compute, compute_file
from tests.verdict.journal_changes import every, of, twice


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


def test_health_checks_and_probes_in_the_access_log_are_only_counted(events: list[Event]) -> None:
    check = next(event for event in events if isinstance(event, journal.Access))
    checks = [dataclasses.replace(check, id=identity, path="/healthz") for identity in ("", "-", "probe-7")]
    verdict = compute([*events, *checks])
    assert verdict.result is Result.PASS
    assert verdict.other_requests == 3


def test_what_the_target_saw_of_an_unknown_request_is_reported(events: list[Event]) -> None:
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
    assert by_step[1].by_balancer["alb"].outcomes.total == 0
    assert by_step[3].by_balancer["alb"].outcomes.total == 0
    for number in (4, 5, 6):
        assert by_step[number].by_balancer["alb"].outcomes.total > 0
        assert by_step[number].by_balancer["nlb"].outcomes.total > 0
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
