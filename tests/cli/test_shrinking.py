"""What is printed after a run of chaos that failed. That parts are really played: tests/e2e/test_chaos.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.cli import shrinking
from testbed.errors import ExitCode
from testbed.faults import DnsSilent, Scheduled, TargetKilled
from testbed.options import Options
from testbed.rehearsal.scenario import Scenario
from testbed.report.console import Terminal
from testbed.settings import CHAOS

SCENARIO = Scenario(
    play=lambda _: None, name="s", title="s", host="api.example.com", zone="example.com", folder=Path()
)
SILENT = Scheduled(DnsSilent(), at=30.0, for_=15.0)
KILLED = Scheduled(TargetKilled("envoy-1"), at=150.0, for_=20.0)


@pytest.mark.parametrize(
    ("causes", "shown"),
    [
        ([KILLED], "  at 2:30 for 20 s: target-killed envoy-1"),
        ([SILENT, KILLED], "  at 0:30 for 15 s: dns-silent\n  at 2:30 for 20 s: target-killed envoy-1"),
        ([], "  none: it fails without any fault of the seed"),
    ],
    ids=["one", "both", "none"],
)
def test_the_shortest_schedule_that_fails_stands_last(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    causes: list[Scheduled],
    shown: str,
) -> None:
    def verdict(scenario: Scenario, _: Options) -> int:
        return ExitCode.FAIL if set(causes) <= set(scenario.faults) else ExitCode.PASS

    monkeypatch.setattr(shrinking, "_verdict", verdict)
    shrinking.shrink(Terminal(), SCENARIO, [SILENT, KILLED], Options(), 1.0)
    printed = capsys.readouterr().out
    assert printed.rstrip().endswith(f"the shortest schedule that still fails:\n{shown}")
    assert "at most 3" in printed


def test_a_long_run_is_not_played_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(shrinking, "_verdict")
    shrinking.shrink(Terminal(), SCENARIO, [SILENT], Options(), CHAOS.longest_to_shrink + 1)
    assert "no part of its schedule is played" in capsys.readouterr().out
