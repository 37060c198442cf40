"""Plays `changes/`: what may change at an ALB changes under load, and nobody notices."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from testbed import journal

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = Path(__file__).parent / "changes"
PATIENCE = 150
SPEED, RATE = "30", "500"

pytestmark = [pytest.mark.stories, pytest.mark.timeout(2 * PATIENCE)]


def test_rules_targets_certificate_and_group_change_and_nothing_fails(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "testbed", "rehearse", str(SCENARIO), "--report", str(tmp_path)]
    done = subprocess.run(
        [*command, "--speed", SPEED, "--rate", RATE],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE,
        check=False,
    )
    assert (tmp_path / "summary.json").exists(), done.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    events = list(journal.read(tmp_path / "journal.ndjson"))
    expectations = [event for event in events if isinstance(event, journal.Expectation)]
    assert not [event for event in expectations if not event.passed], done.stdout
    assert [step["outcome"] for step in summary["steps"]] == ["passed"] * 6
    lost = [event for event in events if isinstance(event, journal.Request) and event.outcome != "ok"]
    assert not lost, lost[:3]
    assert summary["requests"]["ok"] == summary["requests"]["total"] > 1000
    assert not [event for event in events if isinstance(event, journal.Log) and event.level == "error"]
    log = (tmp_path / "alb-access.log").read_text().splitlines()
    by_kind = Counter(line.partition(" ")[0] for line in log)
    served = Counter(event.protocol for event in events if isinstance(event, journal.Request))
    assert by_kind["https"] == served["rest"]
    assert by_kind["grpcs"] == served["grpc"] + 1  # the stream is nobody's of the clients
    (values,) = summary["metrics"].values()
    assert values["RequestCount"] == len(log)
    assert values["HTTPCode_Target_2XX_Count"] == len(log)
    assert values["GrpcRequestCount"] == by_kind["grpcs"]
    assert values["HealthyHostCount"] == 6
