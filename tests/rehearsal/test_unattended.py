from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from testbed import journal
from testbed.clock import Clock
from testbed.conditions import served_by, synced
from testbed.rehearsal import unattended
from testbed.rehearsal.cutover import Cutover, StepFailed
from testbed.rehearsal.scenario import Scenario
from testbed.rehearsal.unattended import Unattended
from testbed.settings import Patience
from tests.made_setups import PLAIN

Settled = list[tuple[int, tuple[str, ...]]]


class Standing:
    """A topology in which nothing runs."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock(speed=1_000.0)
        self.journal = journal.Journal(path)
        self.setup = PLAIN
        self.check = lambda: None

    def counts(self) -> None: ...

    @property
    def cluster(self) -> Any:
        class Silent:
            def external_dns_log(self) -> tuple[str, ...]:
                return ()

            def external_dns_error(self) -> tuple[int, str]:
                return 0, ""

            def external_dns_syncs(self) -> tuple[int, int]:
                return 0, 0

        return Silent()


@pytest.fixture
def settled() -> Settled:
    return []


@pytest.fixture
def cutover(tmp_path: Path, settled: Settled, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unattended, "PATIENCE", Patience(settled=0.05))
    topology = Standing(tmp_path / "journal.ndjson")
    scenario = Scenario(play=print, name="s", title="s", host="a.b", zone="b", folder=tmp_path)
    yield Unattended(scenario, topology, lambda step, acts: settled.append((step, acts)))  # type: ignore[arg-type]
    topology.journal.close()


def test_controllers_settle_where_the_story_waits_or_looks(cutover: Unattended, settled: Settled) -> None:
    with cutover.step("one", why="w"):
        cutover._act("apply a")
        cutover._act("apply b")
        cutover.wait_until(synced(), within=60)
        cutover._act("annotate")
        assert cutover.expect(served_by("nlb"))
    with cutover.step("two", why="w"):
        cutover._act("delete")
        cutover.hold(60)
    assert settled == [(1, ("apply a", "apply b")), (1, ("annotate",)), (2, ("delete",))]


def test_where_nothing_was_done_nothing_is_compared(cutover: Unattended, settled: Settled) -> None:
    cutover.hold(60)
    cutover.start_traffic()
    cutover.stop_traffic()
    cutover.end()
    assert settled == []


def test_a_command_that_fails_ends_the_story_and_is_named(
    cutover: Unattended, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[float] = []

    def fail(self: Cutover, command: str, *, shell: str | None, within: float) -> None:
        limits.append(within)
        raise StepFailed(command)

    monkeypatch.setattr(Cutover, "run", fail)
    with pytest.raises(StepFailed):
        cutover.run("aws acm", within=10)
    assert cutover.stopped == "aws acm"
    assert limits == [10 * 1_000.0]  # so that it is 10 s of wall time


def test_the_last_acts_are_settled_at_the_end(cutover: Unattended, settled: Settled) -> None:
    cutover._act("delete")
    cutover.end()
    assert settled == [(0, ("delete",))]
