"""Requests of another run in the journal of a run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import orjson
import pytest

from testbed.errors import Missing
from testbed.journal import Access, Event, Request, Run
from testbed.report.writing import write_report
from testbed.verdict.findings import Reason, Result
from testbed.verdict.foreign_requests import foreign_requests
from testbed.verdict.history import History
from testbed.verdict.reconciliation import Ledger
from testbed.verdict.verdict import compute


def of_run(events: list[Event], run: str, *, others: int = 0) -> list[Event]:
    """The events as those of a run; the last requests belong to another one."""
    ids = {event.id: f"{run}-{event.id}" for event in events if isinstance(event, Request)}
    for identity in list(ids)[len(ids) - others :]:
        ids[identity] = f"deadbeef-{identity}"
    changed: list[Event] = []
    for event in events:
        if isinstance(event, Request | Access) and event.id in ids:
            changed.append(dataclasses.replace(event, id=ids[event.id]))
        else:
            changed.append(dataclasses.replace(event, id=run) if isinstance(event, Run) else event)
    return changed


def test_a_run_with_its_own_requests_passes(events: list[Event]) -> None:
    assert compute(of_run(events, "0badcafe")).result is Result.PASS


def test_requests_of_another_run_prove_nothing_however_well_they_ended(events: list[Event]) -> None:
    verdict = compute(of_run(events, "0badcafe", others=3))
    (finding,) = verdict.findings
    assert (verdict.result, finding.reason) == (Result.INCONCLUSIVE, Reason.OTHER_RUN)
    assert finding.text == ("3 requests in the journal are of another run, deadbeef: two runs wrote into it")


def test_requests_without_an_id_of_a_run_are_of_no_run(events: list[Event]) -> None:
    changed = [
        dataclasses.replace(event, id="0badcafe") if isinstance(event, Run) else event for event in events
    ]
    assert [one.reason for one in compute(changed).findings] == [Reason.OTHER_RUN]


def test_journals_that_name_no_run_are_judged_as_before(events: list[Event]) -> None:
    assert foreign_requests(History(), Ledger()) == {}
    assert compute(events).result is Result.PASS


def test_the_report_of_a_run_is_never_that_of_a_journal_which_took_its_place(
    made: ModuleType, events: list[Event], tmp_path: Path
) -> None:
    journal = made.write(tmp_path / "journal.ndjson", of_run(events, "deadbeef"))
    with pytest.raises(
        Missing, match="is not the journal of this run: it was replaced while the run went on"
    ):
        write_report(journal, tmp_path, "0badcafe")
    assert [one.name for one in tmp_path.iterdir()] == ["journal.ndjson"]
    write_report(journal, tmp_path, "deadbeef")
    assert orjson.loads((tmp_path / "summary.json").read_bytes())["verdict"] == "pass"
